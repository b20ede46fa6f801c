"""The part of docs/privacy.md that follows from the code: every feature that is made of texts."""

from collections.abc import Iterator
from pathlib import Path

from tidegauge.traffic.features import FEATURES, FEATURES_VERSION, Feature
from tidegauge.traffic.texts.feature_vector import CLASSES_OF

PAGE = Path(__file__).resolve().parent / "privacy.md"
BEGIN = "<!-- features: written by docs/build.py -->"
END = "<!-- end of features -->"

_OF = {"prompt": "prompt", "answer": "answer", "both": "prompt, answer"}


def privacy() -> str:
    """The page as it is, with its table of features as it has to be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    _, _, after = rest.partition(END)
    return "\n".join((before + BEGIN, *_table(), END)) + after


def _table() -> Iterator[str]:
    yield f"Version {FEATURES_VERSION} of the features:"
    yield ""
    yield "| feature | unit | of | what it is |"
    yield "|---|---|---|---|"
    for feature in FEATURES:
        yield f"| `{feature.name}` | {feature.unit} | {_OF[feature.of]} | {_meaning(feature)} |"


def _meaning(feature: Feature) -> str:
    classes = CLASSES_OF.get(feature.name)
    return f"{feature.meaning}: {', '.join(classes)}" if classes else feature.meaning
