"""The order store never returns another order's data: proved for one arbitrary reference, and so for every one.

The proof is unbounded: by induction, from the empty store on. What was narrowed for the solver: references have ``KEY_BITS`` bits in place
of 64, the table has 32 places (two banks of eight sets of two ways), and of an order one bit is kept, since all its bits go the same way
and nothing is decided by them. The store is never cleared while the proof looks on.

Of one reference, arbitrary but constant, the proof keeps a shadow: what it stands for after all operations so far. It asserts that the
store says the same of it, and that the memory has it in one place if it is live, and nowhere if it is not.

The induction goes over time, and for all references at once: what holds up to a cycle for the arbitrary one holds up to it for each.
So the proof may assume, always of earlier cycles only, that no reference that was looked up was there twice, and that no reference was
written over by another one.
"""

import inspect
import types

import pytest
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, ResetSignal, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

import hw.book.order_store
import hw.lib.hash_table
from hw.config import CardConfig
from tests.formal.prove import prove

pytestmark = pytest.mark.formal

KEY_BITS = 5
PLACES = 32
DEPTH = 14


def narrow(old="", new=""):
    """The module with short references and orders and a table that shows its memory; a piece of its source may be exchanged."""
    source = inspect.getsource(hw.book.order_store)
    assert not old or source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
    result = types.ModuleType(hw.book.order_store.__name__)
    exec(compile((source.replace(old, new) if old else source).replace("64", str(KEY_BITS)), "narrow", "exec"), result.__dict__)
    result.HashTable = Table
    result.order_layout = lambda config: data.StructLayout({"shares": 1})
    return result


class Table(hw.lib.hash_table.HashTable):
    """A table with short keys; two more read ports of its memories see the sets of ``watched`` and of ``asked``."""

    def __init__(self, key_width, value_shape, *, places, ways, pending, few):
        super().__init__(key_width, value_shape, places=PLACES, ways=ways, pending=pending, few=few)
        rows = data.ArrayLayout(data.ArrayLayout(self.entry_shape, ways), hw.lib.hash_table.BANKS)
        self.views = {name: (Signal(self.hash.bits, name=f"{name}_hashes"), Signal(rows, name=f"{name}_rows"))
                      for name in ("watched", "asked", "written")}

    def entries(self, m, name, hashes):
        """The entries in the sets with these hashes; each ``name`` once."""
        m.d.comb += self.views[name][0].eq(hashes)
        rows = self.views[name][1]
        return [rows[bank][way] for bank in range(hw.lib.hash_table.BANKS) for way in range(self.ways)]

    def _bank(self, m, bank):
        arriving = super()._bank(m, bank)
        for hashes, rows in self.views.values():
            port = m.submodules[f"bank{bank}"].read_port(domain="comb")
            m.d.comb += [port.addr.eq(hashes.word_select(bank, self.set_bits)), rows[bank].eq(port.data)]
        return arriving


class Checker(wiring.Component):
    """An order store, arbitrary operations on it within its contract, and the shadow of the reference ``watched``.

    Parameters
    ----------
    module : module
        Of the order store.
    may_take_unasked : bool
        Operations that did not say that they may need a place take one all the same.
    """

    watched: In(KEY_BITS)
    lookup: In(1)
    asked: In(KEY_BITS)
    adds: In(1)
    alive: In(1)
    after: In(1)
    anything: In(KEY_BITS + 1)

    def __init__(self, module, *, may_take_unasked=False):
        super().__init__()
        self._module, self._may_take_unasked = module, may_take_unasked

    def ports(self):
        return [getattr(self, name) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        config = CardConfig("proof", venues=2, symbols=1, orders=64, levels=64, backlog=128, events=16, order_ways=2)
        m.submodules.store = store = self._module.OrderStore(config)
        table = store.table
        m.d.comb += Assume(~ResetSignal())

        # the one reference
        started, before = Signal(), Signal(KEY_BITS)
        m.d.sync += [started.eq(1), before.eq(self.watched)]
        m.d.comb += Assume(~started | (self.watched == before))

        # operations: any, two or four cycles or at least six after the one before
        ago = Signal(8)
        m.d.comb += ago[0].eq(self.lookup)
        m.d.sync += ago[1:].eq(ago)
        m.d.comb += Assume(~self.lookup | ~(ago[1] | ago[3] | ago[5]))
        keys = [self.asked, *(Signal(KEY_BITS, name=f"key{cycles}") for cycles in range(1, 5))]
        adds = [self.adds, *(Signal(name=f"adds{cycles}") for cycles in range(1, 5))]
        for shifted in (keys, adds):
            m.d.sync += [later.eq(sooner) for sooner, later in zip(shifted, shifted[1:], strict=False)]
        m.d.comb += [
            store.lookup.eq(self.lookup), store.hashes.eq(table.hash(self.asked)),
            store.reference.eq(Mux(ago[1], keys[1], Mux(ago[2], keys[2], self.anything))),
            store.adds.eq(Mux(ago[1], adds[1], Mux(ago[2], adds[2], self.anything[-1]))),
            store.alive.eq(self.alive), store.after.eq(self.after),
        ]

        # one that was found, or that may need a place and has room, may be alive
        found, room = Signal(), Signal()
        m.d.sync += [found.eq(store.found), room.eq(store.room)]
        may_take = room & (adds[4] | self._may_take_unasked)
        m.d.comb += Assume(~(ago[4] & self.alive) | found | may_take)

        # what it stands for
        shadow = Signal(data.StructLayout({"alive": 1, "order": 1}))
        with m.If(ago[4] & (keys[4] == self.watched)):
            m.d.sync += shadow.alive.eq(self.alive)
            with m.If(self.alive):
                m.d.sync += shadow.order.eq(self.after)
        with m.If(ago[3] & (keys[3] == self.watched)):
            m.d.comb += [Assert(store.found == shadow.alive), Assert(store.vacant == (store.room & ~store.found))]
            with m.If(store.found):
                m.d.comb += Assert(store.order.shares == shadow.order)

        # a cycle later the memory says so too
        written = Signal.like(shadow)
        m.d.sync += written.eq(shadow)
        here = []
        for entry in table.entries(m, "watched", table.hash(self.watched)):
            here.append(entry.valid & (entry.key == self.watched))
            m.d.comb += Assert(~here[-1] | (entry.value.shares == written.order))
        m.d.comb += Assert(sum(here) == written.alive)

        # what has been proved of every reference up to the cycle before
        twice, taken, was_taken, taken_then = Signal(), Signal(), Signal(), Signal()
        m.d.sync += twice.eq(self.lookup & (sum(
            entry.valid & (entry.key == self.asked) for entry in table.entries(m, "asked", table.hash(self.asked))) > 1))
        set_ = table.place_set(table.place)
        for index, entry in enumerate(table.entries(m, "written", Cat(set_, set_))):
            with m.If(table.write & (table.place[:table.way_bits + 1] == index)):
                m.d.comb += taken.eq(entry.valid & (entry.key != table.entry.key))
        m.d.sync += [was_taken.eq(taken), taken_then.eq(was_taken)]  # the memory shows it a cycle after the write
        m.d.comb += [Assume(~twice), Assume(~taken_then)]

        # what is written goes to a set of its reference, and never while a row is read
        sets, bank = table.hash(table.entry.key), table.place[table.way_bits]
        own = Mux(bank, sets.word_select(1, table.set_bits), sets.word_select(0, table.set_bits))
        m.d.comb += [
            Assert(~table.write | (table.place_set(table.place) == own)),
            Assert(~(table.lookup & table.write)),
        ]
        return m


def test_an_order_is_what_was_said_of_it_last(tmp_path):
    """Unbounded. The induction looks back on two operations, one after the other: with less of the past it does not go through."""
    checker = Checker(narrow())
    prove(checker, tmp_path, ports=checker.ports(), depth=DEPTH)


@pytest.mark.parametrize(("old", "new"), [
    pytest.param("last & (was_found | self.alive)", "0", id="the last one is not forwarded"),
    pytest.param("last_but_one & written.write", "0 & written.write", id="the last but one is not forwarded"),
    pytest.param("pending[1].valid.eq(at[3] & adds & ~known)", "pending[1].valid.eq(0)", id="the last one's place is not kept free"),
    pytest.param("pending[2].valid.eq(at[5] & written.write & written.alive)", "pending[2].valid.eq(0)",
                 id="the last but one's place is not kept free"),
])
def test_the_proof_can_fail(old, new, tmp_path):
    checker = Checker(narrow(old, new))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(checker, tmp_path, ports=checker.ports(), depth=DEPTH, mode="bmc")


def test_who_takes_a_place_must_have_said_that_it_may(tmp_path):
    """Room is not enough: without ``adds`` the next operation may be given the same place."""
    checker = Checker(narrow(), may_take_unasked=True)
    with pytest.raises(AssertionError, match="FAIL"):
        prove(checker, tmp_path, ports=checker.ports(), depth=DEPTH, mode="bmc")
