"""Feedback as an app sends it: JSON in, an `Opinion` out, and no text with it.

No clock, no network, no logging: same arguments, same answer. docs/feedback.md has the fields.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.exchange import OTHER
from tidegauge.traffic.feedback.rating import THUMBS, Scale, Verdict
from tidegauge.traffic.item import Item, ItemError

FIELDS = ("id", "rating", "thumb", "category", "comment")
MOST_CHARACTERS = 1024  # of an id, or a category
_COMMENT = 64 << 20  # the body's bound comes first


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody thought of the answer that `key` is the `answer_key` of.

    `category` is one of those configured, "other", or "" where none was given.
    """

    key: int
    verdict: Verdict
    category: str = ""


def opinion(value: object, *, scale: Scale, categories: AbstractSet[str]) -> Opinion:
    """What one item says. A comment is accepted and dropped.

    Raises:
        ItemError: it says it wrongly, or too little.
    """
    item = Item(value, FIELDS)
    item.text("comment", most=_COMMENT)
    identifier = item.text("id", most=MOST_CHARACTERS)
    if not identifier:
        raise item.missing("id")
    rating = item.number("rating", scale.low, scale.high)
    thumb = item.choice("thumb", tuple(THUMBS))
    if (rating is None) == (thumb is None):
        raise ItemError("one of rating and thumb is wanted")
    verdict = THUMBS[thumb] if rating is None and thumb else scale.verdict(rating or 0.0)
    category = bounded_category(item.text("category", most=MOST_CHARACTERS), categories)
    return Opinion(answer_key(identifier), verdict, category)


def bounded_category(name: str | None, categories: AbstractSet[str]) -> str:
    """The label value for a category: no sender creates one.

    >>> [bounded_category(name, {"tone"}) for name in ("tone", "x", None)]
    ['tone', 'other', '']
    """
    if not name:
        return ""
    return name if name in categories else OTHER
