"""The untyped edge: many fields of a device with one call, each with its own outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import (
    INVALID_ARGUMENT,
    SUCCESS,
    NvmlError,
    UnsupportedError,
    error_of,
    ours,
)

ALL_LINKS = 0xFFFF_FFFF
"""The scope of NVLink's fields that adds up all links."""

# The member of the value union that each nvmlValueType_t fills, and how many values it can tell
# apart where it is a counter.
_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")
_SIZES = (None, 1 << 32, 1 << 64, 1 << 64, 1 << 63, 1 << 31, 1 << 16)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value in the driver's unit. A counter starts over at `size`; None where it is a float."""

    value: float
    size: int | None


def field_values(
    device: Handle, fields: Sequence[tuple[int, int]]
) -> tuple[FieldValue | NvmlError, ...]:
    """The values of (field id, scope) pairs, in their order.

    Raises:
        NvmlError: the call failed as a whole.
    """
    with ours:
        answers = pynvml.nvmlDeviceGetFieldValues(device, fields)
    return tuple(_outcome(answer) for answer in answers)


def _outcome(answer: pynvml.c_nvmlFieldValue_t) -> FieldValue | NvmlError:
    code = int(answer.nvmlReturn)
    if code == INVALID_ARGUMENT:  # a field id that this driver has never heard of
        return UnsupportedError(code, str(pynvml.NVMLError(code)))
    if code != SUCCESS:
        return error_of(code)
    kind = int(answer.valueType)
    return FieldValue(getattr(answer.value, _MEMBERS[kind]), _SIZES[kind])
