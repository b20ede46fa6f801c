"""Somebody else's JSON, such as a survey's, read as an opinion by a mapping that is configured.

No clock, no network, no logging: same arguments, same answer. A message names the place where
something is missing, and never what is there.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.feedback.opinion import MOST_CHARACTERS, Opinion, bounded_category
from tidegauge.traffic.feedback.pointer import at
from tidegauge.traffic.feedback.rating import Scale, Verdict
from tidegauge.traffic.item import ItemError

_LONGEST_URL = 8192


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a webhook's document says what; places are as of `pointer.at`.

    Attributes:
        identifier: where the answer's id is.
        rating: where the rating is.
        scale: what a rating that is a number means.
        verdicts: what a rating that is one of these words means; they come before the scale.
        category: where the category is, if anywhere.
        parameter: if given, `identifier` leads to a URL, and this parameter of it is the id.
        when: what has to be at these places; other documents are none of ours.
    """

    identifier: str
    rating: str
    scale: Scale
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    category: str | None = None
    parameter: str | None = None
    when: Mapping[str, str] = field(default_factory=dict)

    def opinion(self, document: object, categories: AbstractSet[str]) -> Opinion | None:
        """What the document says; None if it is of a kind that is not asked for.

        Raises:
            ItemError: it is of that kind, and does not say what it should.
        """
        if any(_word(at(document, place)) != word for place, word in self.when.items()):
            return None
        identifier = _word(at(document, self.identifier))
        if identifier and self.parameter:
            identifier = _parameter(identifier, self.parameter)
        if not identifier or len(identifier) > MOST_CHARACTERS:
            what = f"URL with a parameter {self.parameter}" if self.parameter else "id"
            raise ItemError(f"id: there is no {what} at {self.identifier}")
        category = _word(at(document, self.category)) if self.category else None
        return Opinion(
            answer_key(identifier),
            self._verdict(at(document, self.rating)),
            bounded_category(category, categories),
        )

    def _verdict(self, rating: object) -> Verdict:
        word = _word(rating)
        if word in self.verdicts:
            return self.verdicts[word]
        number = _number(word)
        if number is None or not self.scale.low <= number <= self.scale.high:
            known = f"number from {self.scale.low:g} to {self.scale.high:g}"
            words = f", nor one of {', '.join(self.verdicts)}" if self.verdicts else ""
            raise ItemError(f"rating: there is no {known}{words} at {self.rating}")
        return self.scale.verdict(number)


def _word(value: object) -> str:
    """Text as it is, true and false and numbers as JSON writes them; "" for all else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.strip()
    return repr(value) if isinstance(value, int | float) and abs(value) < 2**53 else ""


def _number(word: str) -> float | None:
    try:
        return float(word) if len(word) <= 32 else None  # noqa: PLR2004  # of digits, beyond any use
    except ValueError:
        return None


def _parameter(url: str, name: str) -> str:
    try:
        found = parse_qs(urlsplit(url[:_LONGEST_URL]).query, max_num_fields=100)
    except ValueError:
        return ""
    return found.get(name, [""])[0]
