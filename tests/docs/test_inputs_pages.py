"""What docs/push.md and docs/feedback.md show is what is taken."""

import json
import re
from pathlib import Path

import pytest

from tidegauge.cli.feedback import hook
from tidegauge.cli.serve import plan
from tidegauge.config import load
from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.feedback.opinion import FIELDS as SAID
from tidegauge.traffic.feedback.opinion import Opinion, opinion
from tidegauge.traffic.feedback.rating import Scale
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.pushed import FIELDS, pushed

DOCS = Path(__file__).parents[2] / "docs"
PUSH, FEEDBACK = (DOCS / name for name in ("push.md", "feedback.md"))
EXAMPLES = [
    (page, block)
    for page in (PUSH, FEEDBACK, DOCS / "running.md")
    for block in re.findall(r"```yaml\n# tidegauge.yml\n(.*?)```", page.read_text(), re.DOTALL)
]
CHAT = Labelling(frozenset({"chat"}), {"chat": "v2"})


@pytest.mark.parametrize("page, block", EXAMPLES, ids=lambda each: getattr(each, "stem", None))
def test_every_example_can_be_run(
    page: Path, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("hotjar.secret", "push.tokens"):
        (tmp_path / name).write_text("0123456789abcdef\n")
    (tmp_path / "tidegauge.yml").write_text(block)
    assert plan(load(tmp_path / "tidegauge.yml").serve).addresses


def fields(page: Path) -> list[str]:
    """The names in the first column of its first table, in order; some rows hold two."""
    rows = re.findall(r"^\| (`.*?) \|", page.read_text(), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]


def test_every_field_of_an_exchange_is_documented() -> None:
    assert fields(PUSH) == list(FIELDS)


def test_every_field_of_feedback_is_documented() -> None:
    assert fields(FEEDBACK)[: len(SAID)] == list(SAID)


def test_the_commands_send_what_is_taken() -> None:
    text = PUSH.read_text()
    (whole,) = re.findall(r"-d '(\{.*?\})'", text, re.DOTALL)
    lines = re.findall(r"'(\{\"model\".*?\})'", text)
    assert len(lines) == 2
    for sent in (whole, *lines):
        assert pushed(json.loads(sent), CHAT).exchange.model == "chat"
    (said,) = re.findall(r"-d '(\{.*?\})'", FEEDBACK.read_text())
    heard = opinion(json.loads(said), scale=Scale(1, 5, 2, 4), categories={"facts"})
    assert (heard.verdict, heard.category) == ("bad", "facts")


def test_the_mapping_of_the_example_reads_a_survey(tmp_path: Path) -> None:
    (block,) = (block for _, block in EXAMPLES if "survey:" in block)
    (tmp_path / "tidegauge.yml").write_text(block)
    feedback = load(tmp_path / "tidegauge.yml").serve.feedback
    assert feedback
    mapped = hook("survey", feedback.webhooks["survey"], feedback).mapped
    answers = [
        {"question": "How was it?", "answer": "Awful"},
        {"question": "What about?", "answer": "tone"},
    ]
    survey = {"attributes": {"answer_id": "chatcmpl-1"}, "answers": answers}
    said = mapped.opinion({"event": "survey_response", "data": survey}, {"facts", "tone"})
    assert said == Opinion(answer_key("chatcmpl-1"), "bad", "tone")
    assert mapped.opinion({"event": "test_message"}, set()) is None
