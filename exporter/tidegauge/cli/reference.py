"""`tidegauge reference`: learns what is ordinary for a model, and shows what was learned."""

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tidegauge.cli.program import complain
from tidegauge.drift.channels import Observation
from tidegauge.drift.learning import MIN_REFERENCE_REQUESTS, build
from tidegauge.drift.reference import ChannelReference, DriftReferenceError, Reference
from tidegauge.drift.reference_text import dump, load
from tidegauge.traffic.features import prompt_features

_FILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class _Line:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="ignore")

    prompt: Annotated[str, Field(min_length=1)]
    completion_tokens: Annotated[int, Field(ge=0)] | None = None


_LINE = TypeAdapter(_Line)


class _InputError(Exception):
    """A line of the input is wrong; says which, and never repeats a prompt."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`tidegauge reference build` and `tidegauge reference show`."""
    parser = subparsers.add_parser(
        "reference", help="learn or show what drift is measured against", description=__doc__
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build_parser = actions.add_parser(
        "build",
        help="learn a reference from ordinary requests",
        description='Lines of INPUT: {"prompt": "…", "completion_tokens": 16}. completion_tokens '
        "may be left out; the answers' length is then not watched. No text is kept.",
    )
    build_parser.add_argument("--model", required=True, metavar="NAME", help="model name")
    build_parser.add_argument("--output", required=True, type=Path, metavar="FILE")
    build_parser.add_argument("input", type=Path, metavar="INPUT.jsonl")
    build_parser.set_defaults(run=run)
    show_parser = actions.add_parser("show", help="print a reference as a table")
    show_parser.add_argument("file", type=Path, metavar="FILE")
    show_parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0, or 2 when something must be mended first."""
    try:
        if arguments.action == "build":
            _build(arguments.model, arguments.input, output=arguments.output)
        else:
            _show(arguments.file)
    except OSError as error:
        complain("reference", f"{error.filename}: {error.strerror}")
        return 2
    except (_InputError, DriftReferenceError) as error:
        complain("reference", str(error))
        return 2
    return 0


def _build(model: str, source: Path, *, output: Path) -> None:
    with source.open("rb") as lines:
        observations = list(_observations(source, lines))
    if len(observations) < MIN_REFERENCE_REQUESTS:
        raise _InputError(
            f"{source}: {len(observations)} usable lines, at least {MIN_REFERENCE_REQUESTS} needed"
        )
    reference = build(model, observations)
    _write_atomically(output, dump(reference))
    print(f"{output}: {model}, {len(observations)} requests, digest {reference.digest}")


def _observations(source: Path, lines: Iterable[bytes]) -> Iterator[Observation]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            read = _read_line(line, where=f"{source}: line {number}")
            yield Observation(prompt_features((read.prompt,)), read.completion_tokens)


def _read_line(line: bytes, *, where: str) -> _Line:
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    bad = f", not {first['input']!r:.40}" if field == "completion_tokens" else ""
    raise _InputError(f"{where}: {field}{': ' if field else ''}{first['msg']}{bad}")


def _write_atomically(path: Path, text: str) -> None:
    """Readers see the old file or the new one, whole, even if we are killed on the way."""
    try:
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _InputError(f"{path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).chmod(_FILE_MODE)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _show(path: Path) -> None:
    try:
        reference = load(path.read_bytes())
    except DriftReferenceError as error:
        raise _InputError(f"{path}: {error}") from None
    print(_table(reference))


def _table(reference: Reference) -> str:
    head = f"{reference.model}  features {reference.features}  digest {reference.digest}"
    return "\n".join((head, *(line for channel in reference.channels for line in _rows(channel))))


def _rows(channel: ChannelReference) -> Iterator[str]:
    yield f"\n{channel.channel}  {channel.requests} requests"
    for label, share in zip(channel.bins.labels, channel.shares, strict=True):
        yield f"  {label:<12} {share:7.2%}  {'#' * round(share * 40)}"
