"""One pass over a feed before anything else: whether it is sound, and what is in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.readers.itch50 import DIRECTORY, IS_BOOK, directory_entry, locate_of
from sim.replay.feeds import Feed, Losses

REPORT_EVERY = 50_000


@dataclass
class Survey:
    """What is in a feed.

    Attributes
    ----------
    types : Counter
        Messages by type.
    activity : Counter
        Book messages by locate.
    names : dict
        Locate by name, from the directory messages.
    """

    losses: Losses
    types: Counter[str] = field(default_factory=Counter)
    activity: Counter[int] = field(default_factory=Counter)
    names: dict[str, int] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        return self.types.total()

    def name_of(self, locate: int) -> str:
        """The symbol's name; where the feed began after its directory, #locate."""
        return self._names_by_locate.get(locate, f"#{locate}")

    def locate_of(self, name: str) -> int | None:
        """The locate of a name or of #locate; None if the feed has no such symbol."""
        if name.startswith("#") and name[1:].isdecimal():
            locate = int(name[1:])
            return locate if locate in self.activity or locate in self._names_by_locate else None
        return self.names.get(name)

    def __post_init__(self) -> None:
        self._names_by_locate = {locate: name for name, locate in self.names.items()}


def survey(feed: Feed, progress: Callable[[int], None] = lambda count: None) -> Survey:
    """Goes through a feed once; raises BadInput where it is broken. ``progress`` is told of messages as they pass."""
    types, activity = [0] * 256, [0] * 65_536
    names: dict[str, int] = {}
    for count, (_, message) in enumerate(feed.messages(), 1):
        kind = message[0]
        types[kind] += 1
        if IS_BOOK[kind]:
            activity[locate_of(message)] += 1
        elif kind == DIRECTORY:
            name, locate = directory_entry(message)
            names[name] = locate
        if count % REPORT_EVERY == 0:
            progress(REPORT_EVERY)
    return Survey(
        feed.losses(),
        Counter({chr(kind): seen for kind, seen in enumerate(types) if seen}),
        Counter({locate: seen for locate, seen in enumerate(activity) if seen}),
        names,
    )
