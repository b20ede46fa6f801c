"""The kernel's word on its clock: adjtimex(2), read only, which needs no privilege."""

import ctypes
import os

from tidegauge.sources.environment.facts import Clock

_UNSYNCHRONISED = 0x0040  # STA_UNSYNC in <sys/timex.h>


class _Timex(ctypes.Structure):
    """The head of struct timex; what follows is left to the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class KernelClock:
    """Remembers whether the clock was ever synchronised, so that losing it can be told."""

    def __init__(self) -> None:
        self._was_synchronised = False

    def read(self) -> Clock:
        """The state now.

        Raises:
            OSError: this system has no adjtimex, or forbids it.
        """
        state = _adjtimex()
        synchronised = not state.status & _UNSYNCHRONISED
        self._was_synchronised = self._was_synchronised or synchronised
        return Clock(synchronised, state.maxerror / 1e6, self._was_synchronised)


def _adjtimex() -> _Timex:
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, "adjtimex", None)
    if call is None:
        raise OSError("this C library has no adjtimex")
    state = _Timex()  # modes 0: nothing is set
    if call(ctypes.byref(state)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"adjtimex: {os.strerror(number)}")
    return state
