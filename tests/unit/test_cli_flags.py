"""The flags that Prometheus's programs have, as ours take them."""

import argparse
import platform
from pathlib import Path

import pytest

from tidegauge import __version__
from tidegauge.cli import serve
from tidegauge.cli.main import main
from tidegauge.cli.program import configuration


def arguments(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers(dest="command"))
    return parser.parse_args(["serve", *flags])


@pytest.mark.parametrize(
    "words", [["--version"], ["serve", "--version"], ["control", "--version"]], ids=" ".join
)
def test_the_version_is_said_as_prometheus_says_it(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    first, *build = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert first == f"tidegauge, version {__version__}"
    assert f"  python version: {platform.python_version()}" in build


def test_a_listen_address_may_be_given_again(tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("serve: {listen_address: '127.0.0.1:1'}")
    file = ("--config.file", str(tmp_path / "f.yml"))
    flags = ("--web.listen-address", ":9470", "--web.listen-address", "[::1]:9471")
    assert configuration(arguments(*file), {}).serve.listen_address == ("127.0.0.1:1",)
    both = configuration(arguments(*file, *flags), {}).serve.listen_address
    assert both == (":9470", "[::1]:9471")


@pytest.mark.parametrize(
    "flags,level,form",
    [
        pytest.param([], "info", "logfmt", id="neither"),
        pytest.param(["--log.level=debug", "--log.format=json"], "debug", "json", id="both"),
    ],
)
def test_flags_of_the_log_override_the_file(flags: list[str], level: str, form: str) -> None:
    log = configuration(arguments(*flags), {}).log
    assert (log.level, log.format) == (level, form)


@pytest.mark.parametrize(
    "flag,said",
    [
        pytest.param("--log.level=loud", "log.level: 'loud' is wrong: it should be", id="level"),
        pytest.param("--log.format=xml", "log.format: 'xml' is wrong: it should be", id="format"),
        pytest.param("--web.config.file=none.yml", "none.yml: cannot be read: No such", id="file"),
    ],
)
def test_a_flag_that_is_wrong_is_one_line(
    flag: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--config.check", flag]) == 2
    assert capsys.readouterr().err.startswith(f"tidegauge serve: error: {said}")
