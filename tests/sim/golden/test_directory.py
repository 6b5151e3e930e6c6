"""The directory's model, entry by entry."""

from sim.golden.directory import DirectoryModel
from sim.golden.records import DirectoryEntry

AMZN, MSFT, OTHER = b"AMZN    ", b"MSFT    ", b"AMZNW   "


def test_names_are_bound_by_good_frames():
    model = DirectoryModel([MSFT, b"", AMZN, MSFT])
    assert not model.frame([DirectoryEntry(8_000, AMZN), DirectoryEntry(8_001, OTHER)])
    model.frame([DirectoryEntry(5_000, MSFT)], good=False)
    assert model.bindings == {2: 8_000}
    model.frame([DirectoryEntry(5_001, MSFT), DirectoryEntry(5_002, MSFT), DirectoryEntry(7, b"\0" * 8)])
    assert model.bindings == {0: 5_002, 2: 8_000}


def test_the_host_wins_and_names_change():
    model = DirectoryModel([AMZN, MSFT])
    model.frame([DirectoryEntry(1, AMZN), DirectoryEntry(2, MSFT)])
    model.host[0] = 99
    assert (model.bindings, model.bound) == ({0: 99, 1: 2}, {1})
    model.rename(1, OTHER)
    assert (model.bindings, model.bound) == ({0: 99}, set())
    del model.host[0]
    assert (model.bindings, model.bound) == ({0: 1}, {0})


def test_a_frame_with_too_many_entries_binds_nothing():
    model = DirectoryModel([AMZN], limit=2)
    assert model.frame([DirectoryEntry(n, AMZN) for n in range(3)])
    assert not model.frame([DirectoryEntry(n, AMZN) for n in range(3)], good=False)
    assert model.bindings == {}
