"""One pass over a feed before anything else: whether it is sound, and what is in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.readers.itch50 import DIRECTORY, directory_entry
from sim.readers.protocols import NOBODY, Key
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
        Book messages by the key of their symbol.
    names : dict
        Key by name: of ITCH 5.0 from the directory messages, of protocols that name their symbols from the book messages themselves.
    """

    losses: Losses
    types: Counter[str] = field(default_factory=Counter)
    activity: Counter[Key] = field(default_factory=Counter)
    names: dict[str, Key] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        return self.types.total()

    def name_of(self, key: Key) -> str:
        """The symbol's name; where the feed began after its directory, #locate."""
        return self._names_by_key.get(key, f"#{key}")

    def key_of(self, name: str) -> Key | None:
        """The key of a name or of #locate; None if the feed has no such symbol."""
        if name.startswith("#") and name[1:].isdecimal():
            locate = int(name[1:])
            return locate if locate in self.activity or locate in self._names_by_key else None
        return self.names.get(name)

    def __post_init__(self) -> None:
        self._names_by_key = {key: name for name, key in self.names.items()}


def survey(feed: Feed, progress: Callable[[int], None] = lambda count: None) -> Survey:
    """Goes through a feed once; raises BadInput where it is broken. ``progress`` is told of messages as they pass."""
    types: Counter[str] = Counter()
    activity: Counter[Key] = Counter()
    names: dict[str, Key] = {}
    wire, reading = feed.wire, feed.wire.reading()
    type_of, key_of = wire.type_of, reading.key
    for count, (_, message) in enumerate(feed.messages(), 1):
        types[type_of(message)] += 1
        if (key := key_of(message)) is not None:
            activity[key] += 1
        elif not wire.by_name and message[0] == DIRECTORY:
            name, locate = directory_entry(message)
            names[name] = locate
        if count % REPORT_EVERY == 0:
            progress(REPORT_EVERY)
    if wire.by_name:
        activity.pop(NOBODY, None)
        names = {str(name): name for name in activity}
    return Survey(feed.losses(), types, activity, names)
