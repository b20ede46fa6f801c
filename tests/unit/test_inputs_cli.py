"""What `serve` refuses to run with: each is one line that names the key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tidegauge.cli.serve import plan
from tidegauge.config.serve import ServeConfig
from tidegauge.server import PlanError

Asked = Callable[[Path], dict[str, object]]


def hook(secret: Path) -> dict[str, object]:
    signature = {"header": "X-Signature", "secret_file": secret}
    survey = {"id": "/id", "rating": "/rating", "signature": signature}
    return {"traffic": {}, "feedback": {"webhooks": {"survey": survey}}}


@pytest.mark.parametrize(
    "asked, line",
    [
        (lambda _: {"push": {}}, "serve.push: needs serve.traffic, which names the models"),
        (lambda _: {"feedback": {}}, "serve.feedback: needs serve.traffic, which names the models"),
        (lambda path: {"inputs": {"token_file": path}}, "serve.inputs.token_file: '{path}': holds"),
        (hook, "serve.feedback.webhooks.survey.signature.secret_file: '{path}': holds"),
    ],
)
def test_what_cannot_be_run_is_one_line(tmp_path: Path, asked: Asked, line: str) -> None:
    path = tmp_path / "secrets"
    path.write_text("too-short\n")
    with pytest.raises(PlanError) as refused:
        plan(ServeConfig.model_validate(asked(path)))
    (said,) = refused.value.lines
    assert said.startswith(line.format(path=path))
    assert "too-short" not in said
