"""What users thought of answers, as a source: it reads memory only, so a read never fails."""

from collections.abc import Callable, Sequence

from tidegauge.samples import Sample
from tidegauge.sources.items import Items
from tidegauge.traffic.feedback.feedback import Feedback


class FeedbackSource:
    """The series of `feedback`, and how many `items` its inputs took. `clock` is monotonic."""

    name = "feedback"

    def __init__(self, feedback: Feedback, items: Items, *, clock: Callable[[], float]) -> None:
        self.feedback = feedback
        self.items = items
        self._clock = clock

    async def read(self) -> Sequence[Sample]:
        self.feedback.expire(self._clock())
        return (*self.feedback.samples(), *self.items.samples())

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
