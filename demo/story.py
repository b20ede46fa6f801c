"""The demo's story: a load that rises and falls, and prompts that change kind and change back.

Shares of its length, so that a test may tell it faster. Prompts change for the middle third; the
load is high from before the change until a little before it ends, so that the pool is seen to grow
for load alone.
"""

from dataclasses import dataclass

USERS = 8  # three more than the demo's sidecars give names to


@dataclass(frozen=True, slots=True)
class Story:
    """How long it takes (seconds), and requests a second when it is quiet and when it is busy."""

    seconds: float = 270.0
    quiet: float = 1.3
    busy: float = 5.2

    def rates(self) -> str:
        """For `tidegauge inject --rate`."""
        points = ((0, self.quiet), (0.08, self.quiet), (0.14, self.busy), (0.6, self.busy))
        ending = ((0.63, self.quiet), (1, self.quiet))
        return ",".join(f"{share * self.seconds:.0f}s:{rate:g}" for share, rate in points + ending)

    def prompts(self) -> str:
        """For `tidegauge inject --prompts`."""
        third = self.seconds / 3
        return f"0s:chat,{third:.0f}s:code,{2 * third:.0f}s:chat"


def inject_command(story: Story, *, url: str, model: str, seed: int) -> list[str]:
    """Arguments for `tidegauge` that tell the story once."""
    return [
        "inject", "--url", url, "--model", model, "--rate", story.rates(),
        "--prompts", story.prompts(), "--body", '{"ignore_eos": true}', "--seed", str(seed),
        "--users", str(USERS),
    ]  # fmt: skip
