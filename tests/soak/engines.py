"""Engines that live for days in seconds: captures that grow, restart and change their labels."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tidegauge.sources.engine_http import Answer
from tidegauge.sources.source import SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
_ROW = re.compile(r"^(?P<name>[a-z_:]+)(?P<labels>\{.*\})? (?P<value>\S+)$")
_GROWS = ("_total", "_bucket", "_count", "_sum")


@dataclass
class Capture:
    """A recorded exposition, all of whose counters and histograms are higher by `n`."""

    path: str
    change: Callable[[str], str] = lambda text: text
    _pieces: list[str | float] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = self.change((FIXTURES / self.path).read_text())
        for line in text.splitlines(keepends=True):
            row = _ROW.match(line.strip())
            if row and row["name"].endswith(_GROWS):
                self._pieces += [line[: line.rindex(" ") + 1], float(row["value"]), "\n"]
            else:
                self._pieces.append(line)

    def at(self, n: int) -> str:
        return "".join(p if isinstance(p, str) else repr(p + n) for p in self._pieces)


@dataclass
class Llamacpp:
    """Restarts every six hours, and now and then does not answer, or only half."""

    capture: Capture = field(default_factory=lambda: Capture("llamacpp-b11434/load.prom"))
    asked: int = 0

    async def __call__(self, path: str) -> Answer:
        self.asked += 1
        if self.asked % 97 == 0:
            raise SourceError("unavailable", f"{path}: nobody, for the {self.asked}th time")
        body = self.capture.at(self.asked % (6 * 720)).encode()
        return Answer(body[: -len(body) // 3] if self.asked % 101 == 0 else body)

    async def close(self) -> None:
        pass


@dataclass
class Vllm:
    """Two models of two workers each, whose rows we add up; half of it is replaced again and again.

    Of the first model one worker is, and the second model with both. A release with a name that we
    don't know comes and goes as well. Names are long, so that what the parser remembers is full,
    and forgotten, within minutes.
    """

    asked: int = 0

    async def __call__(self, path: str) -> Answer:
        self.asked += 1
        turn, rows = self.asked // 2, _VLLM.at(self.asked)
        other = "\n".join(line for line in rows.splitlines() if not line.startswith("#"))
        new = f"# TYPE vllm:new_{turn} gauge\nvllm:new_{turn} 1\n"
        replaced = _labelled(other, "stays", f"m{turn}") + _labelled(other, "second", f"m{turn}")
        text = _labelled(rows, "stays") + _labelled(other, f"w{turn}{_LONG}") + replaced + new
        return Answer(text.encode())

    async def close(self) -> None:
        pass


_LONG = "-" * 2500
_VLLM = Capture("vllm-0.32/load.prom")


def _labelled(text: str, worker: str, model: str = "tiny-llama") -> str:
    return text.replace('model_name="tiny-llama"', f'worker="{worker}",model_name="{model}"') + "\n"
