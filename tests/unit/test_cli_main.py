"""`tidegauge` itself: which command runs, and what it leaves unloaded."""

import subprocess
import sys

import pytest

from tidegauge.cli.main import main


def test_serve_does_without_what_only_other_commands_need() -> None:
    # In an interpreter of its own: here, other tests have imported everything.
    program = (
        "import sys; from tidegauge.cli.main import main; "
        "print(main(['serve', '--config.check'])); "
        "print([name for name in ('prometheus_client', 'tidegauge.control.loop', "
        "'tidegauge.inject.client', 'google.protobuf', 'sentry_sdk', 'tokenizers') "
        "if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (said.stdout, said.stderr) == ("0\n[]\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["nonsense"]], ids=["help", "an unknown one"])
def test_every_command_is_listed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    said = "".join(capsys.readouterr())
    assert all(
        command in said for command in ("serve", "control", "signals", "inject", "reference")
    )
