"""Which files an engine has loaded: those that were there when it came up.

No clock, no network, no logging.
"""

from collections.abc import Mapping

from tidegauge.sources.environment.facts import Files


class Baseline:
    """Digests at the moment when the engine began to answer; taken anew after each absence.

    Before that nothing is known: the files may still be on their way to the disk.
    """

    def __init__(self) -> None:
        self._serving = False
        self._loaded: dict[str, str] = {}

    def update(self, digests: Mapping[str, str], *, serving: bool | None) -> tuple[Files, ...]:
        """The groups of files now, each with what was loaded.

        `serving` is None while nobody knows, as when it is too busy to say: it has loaded nothing
        anew for all we know.

        >>> baseline = Baseline()
        >>> baseline.update({"weights": "a"}, serving=True)
        (Files(component='weights', digest='a', loaded='a'),)
        >>> baseline.update({"weights": "b"}, serving=True)
        (Files(component='weights', digest='b', loaded='a'),)
        """
        if serving is not None:
            if not serving or not self._serving:
                self._loaded = {}
            self._serving = serving
        if serving:
            self._loaded = {**digests, **self._loaded}
        return tuple(
            Files(group, digest, self._loaded.get(group, "")) for group, digest in digests.items()
        )
