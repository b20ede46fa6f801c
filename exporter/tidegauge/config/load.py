"""From a file's text to a frozen Config, or to one line per mistake.

Every line gives the key path, the bad value and what would be right.
"""

import difflib
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from tidegauge.config.control import ControlConfig
from tidegauge.config.serve import ServeConfig
from tidegauge.config.values import Section


class LogConfig(Section):
    """Log lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is written."
    )
    format: Literal["logfmt", "json"] = Field(default="logfmt", description="One event a line.")


class Config(Section):
    """The whole of tidegauge.yml."""

    log: LogConfig = LogConfig()
    serve: ServeConfig = ServeConfig()
    control: ControlConfig | None = Field(
        default=None, description="Needed by `tidegauge control`."
    )


Validated = TypeVar("Validated", bound=Section)


class ConfigError(Exception):
    """The configuration cannot be used. `lines` holds one line per mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


def load(path: Path | None, *, overrides: Mapping[str, object] | None = None) -> Config:
    """The configuration in `path` (defaults when None), with dotted `overrides` laid over it.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or says something that cannot be used.
    """
    tree = read_mapping(path) if path else {}
    for dotted, value in (overrides or {}).items():
        _lay_over(tree, dotted, value)
    return validated(Config, tree)


def validated(root: type[Validated], tree: Mapping[str, object]) -> Validated:
    """`tree` as a `root`.

    Raises:
        ConfigError: one line per mistake.
    """
    try:
        return root.model_validate(tree)
    except ValidationError as error:
        mistakes = [_line(details, tree, root) for details in error.errors() if not _echo(details)]
        raise ConfigError(sorted(set(mistakes))) from None


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but a key that is given twice is a mistake, not a silent override."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's signature
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is given twice; keep one", key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
        return super().construct_mapping(node, deep)


def read_mapping(path: Path) -> dict[str, object]:
    """The keys of a YAML file.

    Raises:
        ConfigError: it cannot be read, or is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {_reason(error)}"]) from None
    try:
        tree = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError([f"{path}: no YAML:{where}: {error.problem}"]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError([f"{path}: no YAML: {str(error).splitlines()[0]}"]) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError([f"{path}: {tree!r} is no mapping; write keys such as `serve:`"])
    return tree


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is not UTF-8"


def _lay_over(tree: dict[str, object], dotted: str, value: object) -> None:
    *parents, leaf = dotted.split(".")
    for key in parents:
        child = tree.get(key)
        if child is None:
            child = tree[key] = {}
        if not isinstance(child, dict):
            return  # validation will name this key
        tree = child
    tree[leaf] = value


def _echo(details: ErrorDetails) -> bool:
    """Pydantic calls a list of bad items too short as well; the items have their own lines."""
    return details["type"] == "too_short" and bool(details["input"])


def _line(details: ErrorDetails, tree: object, root: type[Section]) -> str:
    path, model = _path(details["loc"], tree), details["loc"]
    value = details["input"]
    match details["type"]:
        case "missing":
            return f"{path}: is missing; it has no default"
        case "extra_forbidden":
            return f"{path}: unknown key{_did_you_mean(model, root)}"
        case "value_error":
            return _value_error(path, details["msg"].removeprefix("Value error, "))
        case _:
            shown = "its value" if _is_secret(details["loc"], root) else _shown(value)
            return f"{path}: {shown} is wrong: it {_rule(details)}"


def _rule(details: ErrorDetails) -> str:
    """What Pydantic wants, without its names for our types."""
    if details["type"] == "model_type":
        return "should be a mapping of keys"
    if details["type"] == "tuple_type":
        return "should be a list"
    if details["type"] == "path_type":
        return "should be a path"
    rule = details["msg"].partition("should ")[2].partition(" after validation")[0]
    return f"should {rule}" if rule else details["msg"]


def _value_error(path: str, message: str) -> str:
    # A section's own check names the key below it: "max: 2 is below min (4)".
    head, separator, _ = message.partition(": ")
    below = separator and all(c.isalnum() or c in "_[]-." for c in head)
    if not path:
        return message
    return f"{path}.{message}" if below else f"{path}: {message}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line, not a page


def _path(location: Sequence[int | str], tree: object) -> str:
    path = ""
    for step in location:
        if step == "[key]":  # Pydantic's word for: the key itself is wrong
            continue
        if isinstance(step, int):
            tree = tree[step] if isinstance(tree, list) and step < len(tree) else None
            name = tree.get("name") if isinstance(tree, dict) else None
            path += f"[{name or step}]"
        else:
            tree = tree.get(step) if isinstance(tree, dict) else None
            path += f".{step}" if path else step
    return path


def _did_you_mean(location: Sequence[int | str], root: type[Section]) -> str:
    section = _section(location[:-1], root)
    renamed: Mapping[str, str] = getattr(section, "renamed", {})
    if now := renamed.get(str(location[-1])):
        return f"; it is called {now} now"
    known = sorted(section.model_fields) if section else []
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _section(location: Sequence[int | str], root: type[Section]) -> type[Section] | None:
    """The Section class that a key path leads to."""
    section, own_names = root, False
    for step in location:
        if isinstance(step, int) or own_names:  # an item of a list, or a name that a user chose
            own_names = False
            continue
        field = section.model_fields.get(step)
        inner = _sections_in(field.annotation) if field else []
        if field is None or not inner:
            return None
        section, own_names = inner[0], getattr(field.annotation, "__origin__", None) is dict
    return section


def _is_secret(location: Sequence[int | str], root: type[Section]) -> bool:
    """Whether the key, or one above it, holds what no log may show (`Field(repr=False)`)."""
    above = (_section(location[:n], root) for n in range(len(location)))
    fields = (
        section.model_fields.get(str(step))
        for section, step in zip(above, location, strict=True)
        if section
    )
    return any(field is not None and not field.repr for field in fields)


def _sections_in(annotation: object) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    arguments: Sequence[object] = getattr(annotation, "__args__", ())
    return [section for argument in arguments for section in _sections_in(argument)]
