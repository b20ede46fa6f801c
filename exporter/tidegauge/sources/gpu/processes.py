"""Processes on GPUs by container and pod, as /proc says it: at the edge, but bounded.

The driver's pids are the host's, so /proc has to be the host's too: run with the host's pid
namespace (hostPID, --pid=host), or a process is told by its pid alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegauge.catalog import gpu_opt_in as catalog
from tidegauge.sources.gpu.cgroups import Owner, owner_of
from tidegauge.sources.gpu.nvml_processes import Running, Usage
from tidegauge.sources.gpu.question import Value

AT_MOST = 32
"""Processes told of each device: those that hold the most memory."""

_KNOWN_AT_MOST = 1024
_START_TIME = 19  # field 22 of /proc/PID/stat, counted from the one after the name


@dataclass(frozen=True, slots=True)
class _Known:
    start_time: str
    owner: Owner


class Processes:
    """Whose each process is. A pid that comes back with another start time is another process."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._known: dict[int, _Known] = {}

    def owner(self, pid: int) -> Owner:
        """Empty where the process is gone, or in a pid namespace that we can't see."""
        start_time = self._start_time(pid)
        if not start_time:
            return Owner()
        known = self._known.get(pid)
        if known is None or known.start_time != start_time:
            if len(self._known) >= _KNOWN_AT_MOST:
                self._known.clear()
            known = self._known[pid] = _Known(start_time, owner_of(self._text(pid, "cgroup")))
        return known.owner

    def values(self, running: Sequence[Running], usage: Iterable[Usage]) -> tuple[Value, ...]:
        """Memory and SM utilisation by process, the AT_MOST biggest alone."""
        memory = {process.pid: process.memory_bytes for process in running}
        latest = {sample.pid: sample for sample in sorted(usage, key=lambda sample: sample.at_us)}
        biggest = sorted(memory, key=lambda pid: (-(memory[pid] or 0), pid))[:AT_MOST]
        labels = {pid: self._labels(pid) for pid in biggest}
        return (
            *(
                Value(catalog.PROCESS_MEMORY, float(size), labels[pid])
                for pid in biggest
                if (size := memory[pid]) is not None
            ),
            *(
                Value(catalog.PROCESS_SM_UTILIZATION, latest[pid].sm_ratio, labels[pid])
                for pid in biggest
                if pid in latest
            ),
        )

    def _labels(self, pid: int) -> tuple[str, ...]:
        owner = self.owner(pid)
        return (str(pid), owner.container, owner.pod)

    def _start_time(self, pid: int) -> str:
        # The name is in parentheses and may hold any of them, and blanks.
        fields = self._text(pid, "stat").rpartition(")")[2].split()
        return fields[_START_TIME] if len(fields) > _START_TIME else ""

    def _text(self, pid: int, name: str) -> str:
        try:
            return (self._proc / str(pid) / name).read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended, or is not ours to look at
            return ""
