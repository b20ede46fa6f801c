"""Writes the files that Prometheus and Alertmanager load, from templates and one profile.

    python alert-rules/build.py                       the production files, into this folder
    python alert-rules/build.py --check               exit 1 and name those out of step
    python alert-rules/build.py --profile demo --out DIR --set prometheus=127.0.0.1:9090
    python alert-rules/build.py --profile demo --templates DIR --out DIR    other templates

A placeholder is `<<name>>`, or `<<name|seconds>>` for a duration as a number: neither can be
mistaken for Prometheus's own {{ … }} and $. A name must be a key of the profile or a parameter,
and whatever --set gives must be used.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "exporter"))

sys.path.insert(0, str(HERE))

from signal_rules import blocks  # noqa: E402 - from this very folder

from tidegauge.catalog.traffic import TIME_TO_FIRST_TOKEN  # noqa: E402 - from this very tree

FASTEST_BURN = 14.4  # the page's factor in templates/alerts.yml
PROFILES = HERE / "profiles.yml"
PARAMETERS = HERE / "parameters.yml"
TEMPLATES = HERE / "templates"

_PLACEHOLDER = re.compile(r"<<([a-z0-9_]+)(?:\|([a-z]+))?>>")
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_UNIT = re.compile(r"(\d+)(ms|[smhdwy])")
_UNIT_SECONDS = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 604_800,
    "y": 31_536_000,
}


class BuildError(Exception):
    """A template, profile or parameter that can't be used; one line that names it."""


def seconds(duration: str) -> float:
    """A Prometheus duration in seconds.

    >>> seconds("1h30m"), seconds("500ms"), seconds("0s")
    (5400, 0.5, 0)

    Raises:
        BuildError: it is not written as Prometheus writes durations.
    """
    if not _DURATION.fullmatch(duration):
        raise BuildError(f"{duration!r} is not a duration such as 30s, 5m or 1h30m")
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in _UNIT.findall(duration))


def placeholders(template: str) -> frozenset[str]:
    """Names that a template asks for.

    >>> sorted(placeholders("for: <<for_drift>> # {{ $value }} <<tick|seconds>>"))
    ['for_drift', 'tick']
    """
    return frozenset(name for name, _ in _PLACEHOLDER.findall(template))


def render(template: str, values: Mapping[str, str]) -> str:
    """The template with every placeholder filled in.

    >>> render("rate(x[<<w>>]) > <<w|seconds>>", {"w": "5m"})
    'rate(x[5m]) > 300'

    Raises:
        BuildError: a placeholder has no value, a value no placeholder, or << is left over.
    """
    asked = placeholders(template)
    if unknown := asked - values.keys():
        raise BuildError(f"unknown placeholder {_listed(unknown)}")
    if unused := values.keys() - asked:
        raise BuildError(f"no placeholder uses {_listed(unused)}")
    rest = _PLACEHOLDER.sub("", template)
    if "<<" in rest or ">>" in rest:
        line = next(line for line in rest.splitlines() if "<<" in line or ">>" in line)
        raise BuildError(f"not a placeholder: {line.strip()!r}; write <<name>> or <<name|seconds>>")
    return _PLACEHOLDER.sub(lambda match: _filled(match, values), template)


def load_profile(name: str, path: Path = PROFILES) -> dict[str, str]:
    """One profile's values by key, as text.

    Raises:
        BuildError: there is no such profile.
    """
    profiles = _mapping(path)
    if name not in profiles:
        raise BuildError(f"profile {name!r}: {path.name} has {_listed(profiles)}")
    return _texts(profiles[name], f"{path.name}: {name}")


def load_parameters(path: Path = PARAMETERS) -> dict[str, str]:
    """What a site sets, by name, as text."""
    return _texts(_mapping(path), path.name)


def generate(
    profile: str, *, templates: Path = TEMPLATES, settings: Mapping[str, str]
) -> dict[str, str]:
    """Content of each generated file by file name; `settings` override profile and parameters.

    Raises:
        BuildError: the message starts with the template's or the setting's name.
    """
    values = load_profile(profile) | load_parameters()
    if unknown := settings.keys() - values.keys():
        raise BuildError(f"--set {_listed(unknown)}: neither in profiles.yml nor in parameters.yml")
    values |= settings
    values |= blocks(seconds(values["signal_day"]), seconds(values["signal_hour"]))
    values["ttft_bound"] = _bucket_bound(values["ttft_bound"])
    for name in ("ttft_objective_ratio", "success_objective_ratio"):
        _check_objective(name, values[name])
    sources = {path.name: path.read_text() for path in sorted(templates.iterdir())}
    if unused := settings.keys() - frozenset().union(*map(placeholders, sources.values())):
        raise BuildError(f"--set {_listed(unused)}: no template in {templates.name}/ uses it")
    heading = _heading(profile, settings)
    return {name: heading(name) + _fill(name, text, values) for name, text in sources.items()}


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0, or 1 if a file is out of step or can't be built."""
    options = _parser().parse_args(arguments)
    try:
        settings = dict(_setting(text) for text in options.set)
        files = generate(options.profile, templates=options.templates, settings=settings)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return _check(files, options.out) if options.check else _write(files, options.out)


def _bucket_bound(text: str) -> str:
    """The bound as it stands in the label `le`.

    Raises:
        BuildError: no bucket of the histogram has it, and a rule over it would be silent.
    """
    bounds = TIME_TO_FIRST_TOKEN.buckets or ()
    try:
        found = bounds.index(float(text))
    except ValueError:
        known = ", ".join(f"{bound:g}" for bound in bounds)
        raise BuildError(
            f"ttft_bound: {text!r} is no bucket bound; choose one of {known}"
        ) from None
    return repr(float(bounds[found]))


def _check_objective(name: str, text: str) -> None:
    """An error budget that burns FASTEST_BURN times too fast must fit into 100 %.

    Raises:
        BuildError: it does not, and the page could never fire.
    """
    lowest = 1 - 1 / FASTEST_BURN
    try:
        usable = lowest < float(text) < 1
    except ValueError:
        usable = False
    if not usable:
        raise BuildError(f"{name}: {text!r} must be a ratio between {lowest:.3f} and 1")


def _listed(names: Mapping[str, object] | frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names))


def _filled(match: re.Match[str], values: Mapping[str, str]) -> str:
    name, form = match.groups()
    if form is None:
        return values[name]
    if form != "seconds":
        raise BuildError(f"<<{name}|{form}>>: the only form is seconds")
    return f"{seconds(values[name]):g}"


def _mapping(path: Path) -> dict[str, object]:
    content = yaml.safe_load(path.read_text())
    if not isinstance(content, dict):
        raise BuildError(f"{path.name}: must be a mapping")
    return content


def _texts(content: object, where: str) -> dict[str, str]:
    if not isinstance(content, dict):
        raise BuildError(f"{where}: must be a mapping")
    return {str(key): str(value) for key, value in content.items()}


def _heading(profile: str, settings: Mapping[str, str]) -> Callable[[str], str]:
    words = "".join(f" --set {name}={settings[name]}" for name in sorted(settings))
    command = f"python alert-rules/build.py --profile {profile}{words}"
    return lambda name: f"# Generated from the template {name} by `{command}`: edit that instead.\n"


def _fill(name: str, template: str, values: Mapping[str, str]) -> str:
    used = {key: value for key, value in values.items() if key in placeholders(template)}
    try:
        return render(template, used)
    except BuildError as error:
        raise BuildError(f"templates/{name}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="production", help="profile in profiles.yml")
    parser.add_argument("--out", type=Path, default=HERE, help="folder that gets the files")
    parser.add_argument("--templates", type=Path, default=TEMPLATES, help="folder of templates")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    return parser


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BuildError(f"--set {text}: must be NAME=VALUE")
    return name, value


def _check(files: Mapping[str, str], folder: Path) -> int:
    stale = [name for name, text in files.items() if _content(folder / name) != text]
    for name in stale:
        print(f"{name}: out of step with its template; run alert-rules/build.py", file=sys.stderr)
    return 1 if stale else 0


def _content(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def _write(files: Mapping[str, str], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
