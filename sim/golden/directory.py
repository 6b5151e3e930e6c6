"""Symbols bound by their names: the reference of the card's directory."""

from collections.abc import Iterable, Sequence

from sim.golden.records import DirectoryEntry


class DirectoryModel:
    """What each slot of a venue is bound to.

    Parameters
    ----------
    names : sequence of bytes
        Eight ASCII characters a slot; empty: the slot has no name. Of two with the same name only the first is bound.
    limit : int
        Entries for these names that a frame may have; one with more binds nothing.
    """

    def __init__(self, names: Sequence[bytes], limit: int = 64) -> None:
        self.names = list(names)
        self.limit = limit
        self.enabled = True
        """Off: only the host binds; what the directory says is remembered all the same."""
        self.host: dict[int, int] = {}
        """Locate that the host has bound a slot to."""
        self._learned: dict[int, int] = {}

    def frame(self, entries: Iterable[DirectoryEntry], good: bool = True) -> bool:
        """The directory entries of one frame; returns whether they were too many."""
        found = [(self.names.index(entry.name), entry.locate) for entry in entries if entry.name in self.names]
        if good and len(found) <= self.limit:
            self._learned.update(found)
        return good and len(found) > self.limit

    def rename(self, slot: int, name: bytes) -> None:
        self.names[slot] = name
        self._learned.pop(slot, None)

    @property
    def bindings(self) -> dict[int, int]:
        """Locate of every slot that is bound."""
        return (self._learned if self.enabled else {}) | self.host

    @property
    def bound(self) -> set[int]:
        """Slots that are bound by their names."""
        return self._learned.keys() - self.host.keys() if self.enabled else set()
