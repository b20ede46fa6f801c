"""What an engine said of the tokens of one answer, put together from wherever it said it.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tidegauge.traffic.hearing.gaps import CHOICES_MAX


@dataclass(frozen=True, slots=True)
class Tokens:
    """Prompt and generation; None where it was not said."""

    prompt: int | None = None
    generation: int | None = None

    def after(self, earlier: "Tokens") -> "Tokens":
        """These, and what only the earlier ones said."""
        return Tokens(
            earlier.prompt if self.prompt is None else self.prompt,
            earlier.generation if self.generation is None else self.generation,
        )


UNSAID = Tokens()


class Usage:
    """Adds up what was said: of the whole answer, else of each choice.

    vLLM and SGLang say the whole in a last chunk without choices; asked for usage with every
    chunk, they send running totals of the choice in it. llama.cpp says a choice's in its last
    chunk, or, asked for usage, in one without choices behind it.
    """

    def __init__(self) -> None:
        self._whole = UNSAID
        self._closings: list[Tokens] = []
        self._choices: dict[int, Tokens] = {}

    def of_whole(self, tokens: Tokens) -> None:
        """Said of the answer; what is said later wins."""
        self._whole = tokens.after(self._whole)

    def of_closed_choice(self, tokens: Tokens) -> None:
        """Said of a choice that has ended, without saying which."""
        if len(self._closings) < CHOICES_MAX:
            self._closings.append(tokens)

    def of_choice(self, index: int, tokens: Tokens) -> None:
        """Said of this choice; what is said later wins."""
        index = min(index, CHOICES_MAX)
        self._choices[index] = tokens.after(self._choices.get(index, UNSAID))

    def tokens(self, choices_per_prompt: int) -> Tokens:
        """What the whole answer took: each prompt once, every choice's generation."""
        of_choices = self._of_closings() if self._closings else self._of_choices(choices_per_prompt)
        return self._whole.after(of_choices)

    def _of_closings(self) -> Tokens:
        return Tokens(
            self._closings[-1].prompt,
            _sum(each.generation for each in self._closings),
        )

    def _of_choices(self, choices_per_prompt: int) -> Tokens:
        by_prompt = {index // choices_per_prompt: each for index, each in self._choices.items()}
        return Tokens(
            _sum(each.prompt for each in by_prompt.values()),
            _sum(each.generation for each in self._choices.values()),
        )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
