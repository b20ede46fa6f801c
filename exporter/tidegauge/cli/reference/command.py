"""The flags of `tidegauge reference`, and what becomes of a mistake: one line, exit status 2."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tidegauge import __version__
from tidegauge.cli.program import complain
from tidegauge.cli.reference.building import Built, from_lines
from tidegauge.cli.reference.fetching import fetched
from tidegauge.cli.reference.promoting import promote, promote_back
from tidegauge.cli.reference.showing import change_lines, head, show_lines
from tidegauge.cli.vectors import look_for_vectors
from tidegauge.drift.reference import DriftReferenceError, Reference, merged
from tidegauge.server import PlanError
from tidegauge.sources.drift_files import (
    DriftFileError,
    DriftFiles,
    read_reference,
    write_reference,
)
from tidegauge.sources.engine_access import Access, Tls
from tidegauge.sources.source import SourceError
from tidegauge.traffic.texts.vectors import VECTOR_KINDS, VectorKind

NAME = "reference"

_Run = Callable[[argparse.Namespace], None]


class _UsageError(Exception):
    """Flags that do not go together."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`tidegauge reference` and its actions."""
    parser = subparsers.add_parser(
        NAME,
        help="learn, show, merge or promote what drift is measured against",
        description="What is ordinary for a model, as drift is measured against it. No text of a "
        "prompt or an answer is kept or shown.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_build(actions)
    _add_merge(actions)
    show = actions.add_parser("show", help="print a reference as a table")
    show.add_argument("file", type=Path, metavar="FILE")
    show.set_defaults(run=partial(_checked, _show))
    compare = actions.add_parser("compare", help="print what changed from A to B")
    compare.add_argument("before", type=Path, metavar="A")
    compare.add_argument("after", type=Path, metavar="B")
    compare.set_defaults(run=partial(_checked, _compare))
    _add_promote(actions)


def _add_build(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "build",
        help="learn a reference from ordinary requests, or fetch it from running sidecars",
        description='Lines of INPUT: {"prompt": "…", "answer": "…", "prompt_tokens": 12, '
        '"completion_tokens": 16, "finish_reason": "stop", "duration_seconds": 0.8, '
        '"first_token_seconds": 0.1, "time": "2026-01-31T12:00:00Z"}. Only the prompt is needed; '
        "what is left out is not watched. A time is RFC 3339 or Unix seconds, of the request's "
        "end. With --from, references of running sidecars are fetched and merged instead.",
    )
    parser.add_argument("--model", required=True, metavar="NAME", help="model name")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE")
    parser.add_argument(
        "--vectors",
        default="",
        metavar="KINDS",
        help="style, semantic or both with a comma, as serve.traffic.vectors",
    )
    parser.add_argument(
        "--from",
        dest="sources",
        action="append",
        default=[],
        metavar="URL",
        help="a running sidecar, such as http://127.0.0.1:9470; may be given again",
    )
    parser.add_argument("--from.ca-file", dest="ca_file", type=Path, metavar="FILE")
    parser.add_argument("--from.username", dest="username", metavar="NAME")
    parser.add_argument("--from.password-file", dest="password_file", type=Path, metavar="FILE")
    parser.add_argument("input", type=Path, nargs="?", metavar="INPUT.jsonl")
    parser.set_defaults(run=partial(_checked, _build))


def _add_merge(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser("merge", help="make one reference of those of several replicas")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE")
    parser.set_defaults(run=partial(_checked, _merge))


def _add_promote(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "promote",
        help="make the candidate the reference in use, and say what changes",
        description="A running sidecar that keeps its references in DIR takes it over by itself.",
    )
    parser.add_argument(
        "--directory", required=True, type=Path, metavar="DIR", help="serve.drift.directory"
    )
    parser.add_argument("--model", required=True, metavar="NAME", help="model name")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--candidate", type=Path, metavar="FILE", help="instead of the one that is in DIR"
    )
    which.add_argument(
        "--back", action="store_true", help="return to the reference before the last promotion"
    )
    parser.set_defaults(run=partial(_checked, _promote))


def _checked(action: _Run, arguments: argparse.Namespace) -> int:
    """0, or 2 when something must be mended first."""
    try:
        action(arguments)
        sys.stdout.flush()
    except PlanError as error:
        complain(NAME, *error.lines)
    except (DriftReferenceError, DriftFileError, SourceError, _UsageError) as error:
        complain(NAME, str(error))
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        complain(NAME, f"{error.filename}: {error.strerror}")
    else:
        return 0
    return 2


def _build(arguments: argparse.Namespace) -> None:
    if bool(arguments.sources) == (arguments.input is not None):
        raise _UsageError("give either INPUT.jsonl or --from URL")
    if arguments.sources:
        _write(arguments.output, _of_sidecars(arguments))
        return
    built = _of_file(arguments)
    _write(arguments.output, built.reference)
    for note in built.notes:
        print(f"note: {note}")


def _of_file(arguments: argparse.Namespace) -> Built:
    kinds = _kinds(arguments.vectors)
    look_for_vectors(kinds, key="--vectors")
    return from_lines(arguments.input, model=arguments.model, kinds=kinds, now=time.time())


def _kinds(said: str) -> tuple[VectorKind, ...]:
    words = {word.strip() for word in said.split(",")} - {""}
    if unknown := sorted(words - set(VECTOR_KINDS)):
        raise _UsageError(f"--vectors: {unknown[0]!r}; known are {', '.join(VECTOR_KINDS)}")
    return tuple(kind for kind in VECTOR_KINDS if kind in words)


def _of_sidecars(arguments: argparse.Namespace) -> Reference:
    if arguments.vectors:
        raise _UsageError("--vectors: is for INPUT.jsonl; a sidecar's are in its reference")
    if bool(arguments.username) != bool(arguments.password_file):
        raise _UsageError("--from.username and --from.password-file: give both, or none")
    accesses = [
        Access(
            url.rstrip("/"),
            params=(("model", arguments.model),),
            username=arguments.username,
            password_file=arguments.password_file,
            tls=Tls(ca_file=arguments.ca_file),
        )
        for url in arguments.sources
    ]
    return merged(fetched(accesses, arguments.model), made_by=__version__)


def _merge(arguments: argparse.Namespace) -> None:
    first, *others = arguments.files
    whole = merged((read_reference(first),), made_by=__version__)
    for path in others:
        reference = read_reference(path)
        try:
            whole = merged((whole, reference), made_by=__version__)
        except DriftReferenceError as error:
            raise DriftReferenceError(f"{path}: {error} (of {first})") from None
    _write(arguments.output, whole)


def _write(output: Path, reference: Reference) -> None:
    write_reference(output, reference)
    print(f"{output}: {head(reference)}")


def _show(arguments: argparse.Namespace) -> None:
    for line in show_lines(read_reference(arguments.file)):
        print(line)


def _compare(arguments: argparse.Namespace) -> None:
    before, after = read_reference(arguments.before), read_reference(arguments.after)
    for line in change_lines(before, after):
        print(line)


def _promote(arguments: argparse.Namespace) -> None:
    files, model = DriftFiles(arguments.directory), arguments.model
    if arguments.back:
        told = promote_back(files, model)
    else:
        told = promote(files, model, given=arguments.candidate)
    # All of it first: a reader of our lines that stops early must not stop a promotion halfway.
    for line in tuple(told):
        print(line)
