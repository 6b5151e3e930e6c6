"""Live orders by their reference number, looked up and changed every second cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.choice import any_of
from hw.lib.hash_table import HashTable
from hw.types import Rank, Shares, Side


def symbol_bits(config: CardConfig) -> int:
    """Bits that name a symbol on this card."""
    return max(1, (config.symbols - 1).bit_length())


def region_bits(config: CardConfig) -> int:
    """Bits that name a side of a symbol on this card: Cat(side, symbol)."""
    return 1 + symbol_bits(config)


def order_layout(config: CardConfig) -> data.StructLayout:
    """What is kept of an order."""
    return data.StructLayout({"symbol": symbol_bits(config), "side": Side, "rank": Rank, "shares": Shares})


class OrderStore(wiring.Component):
    """A hash table of the live orders, the whole 64-bit reference being the key, that takes an operation every second cycle.

    An operation looks its reference up, and says four cycles later what the reference stands for from then on. The two operations
    behind it, which looked before that was written, are answered from what is on its way; nor do they take the place that it takes.

    Parameters
    ----------
    config : CardConfig
        ``orders`` places, ``order_ways`` in a set.

    Ports
    -----
    lookup : In(1), hashes : In
        Cycle t: an operation on the reference with these hashes (``table.hash(reference)``). The next one at t + 2, t + 4, or from
        t + 6 on.
    reference : In(64), adds : In(1)
        Cycles t + 1 and t + 2: the reference; the operation may need a place for it.
    found : Out(1), order : Out(order)
        Cycle t + 3: the reference is live; its order, zero if it is not.
    room : Out(1)
        Cycle t + 3: there is a place for it.
    vacant : Out(1)
        Cycle t + 3: not ``found``, but ``room``.
    alive : In(1), after : In(order)
        Cycle t + 4: the reference is live from now on, and its order. One that was found, or that ``adds`` and has room, may be; where
        neither ``found`` nor ``alive`` nothing is written.
    fetch : In(1)
        Cycle t: read the sets with these hashes, for whoever wants to see all orders. No operation is under way, nor begins before t + 1.
    keep : In(1), bank : In(1)
        Cycle t + 2: keep the set of this bank.
    group : Out(ways entries)
        From t + 3 on until the next ``keep``.
    clear : In(1), row : In
        Empties row ``row``.
    """

    def __init__(self, config: CardConfig):
        self.layout = order = order_layout(config)
        self.table = table = HashTable(64, order, places=config.orders, ways=config.order_ways, pending=3, few=12)
        self.depth = table.depth
        super().__init__({
            "lookup": In(1),
            "hashes": In(table.hash.bits),
            "reference": In(64),
            "adds": In(1),
            "found": Out(1),
            "order": Out(order),
            "room": Out(1),
            "vacant": Out(1),
            "alive": In(1),
            "after": In(order),
            "fetch": In(1),
            "keep": In(1),
            "bank": In(1),
            "group": Out(table.group.shape()),
            "clear": In(1),
            "row": In(table.row.shape()),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = self.table
        outcome = data.StructLayout({"reference": 64, "write": 1, "alive": 1, "place": table.place_bits, "order": self.layout})
        age = Signal(7)  # bit k: an operation looked up k + 1 cycles ago
        m.d.sync += age.eq((age << 1) | self.lookup)
        at = {cycles: age[cycles - 1] for cycles in range(1, 8)}

        # operations on their way: three cycles old or more, five
        reference, adds = Signal(64), Signal()
        written = Signal(outcome)
        with m.If(at[2]):
            m.d.sync += [reference.eq(self.reference), adds.eq(self.adds)]
        was_found, place = Signal(), Signal(table.place_bits)
        with m.If(at[4]):
            m.d.sync += [
                written.reference.eq(reference), written.write.eq(was_found | self.alive), written.alive.eq(self.alive),
                written.place.eq(place), written.order.eq(self.after),
            ]
        # whether they write the same reference, and what, is found out while it is looked up
        last, last_but_one, recent = Signal(), Signal(), Signal(outcome)
        with m.If(at[1]):
            m.d.sync += [last.eq(at[3] & (self.reference == reference)), last_but_one.eq(at[5] & (self.reference == written.reference))]
        of_last, found_place = Signal(), Signal.like(place)
        m.d.comb += of_last.eq(last & (was_found | self.alive))
        with m.If(at[2]):
            m.d.sync += [
                recent.write.eq(of_last | (last_but_one & written.write)),
                recent.alive.eq(Mux(of_last, self.alive, written.alive)),
                recent.place.eq(Mux(of_last, place, written.place)),
                recent.order.eq(Mux(last, self.after, written.order)),  # one that writes nothing found none: no order is asked for
            ]
        known = Signal()  # it has a place, though perhaps it is leaving it
        m.d.comb += [
            known.eq(recent.write | table.found), self.room.eq(recent.write | table.room),
            self.found.eq(Mux(recent.write, recent.alive, table.found)),
            self.vacant.eq(Mux(recent.write, ~recent.alive, ~table.found & table.room)),
            self.order.eq(any_of([(recent.write & recent.alive, recent.order), (~recent.write, table.value)])),
            found_place.eq(Mux(recent.write, recent.place, table.found_place)),
        ]
        m.d.sync += [was_found.eq(self.found), place.eq(Mux(known, found_place, table.free_place))]

        m.d.comb += [
            table.lookup.eq(self.lookup | self.fetch), table.keep.eq(self.keep), table.bank.eq(self.bank), self.group.eq(table.group),
            table.hashes.eq(self.hashes), table.key.eq(self.reference),
            table.pending[0].valid.eq(at[3] & adds & known), table.pending[0].place.eq(found_place),
            table.pending[1].valid.eq(at[3] & adds & ~known), table.pending[1].place.eq(table.free_place),
            table.pending[2].valid.eq(at[5] & written.write & written.alive), table.pending[2].place.eq(written.place),
            table.write.eq(at[5] & written.write), table.place.eq(written.place),
            table.entry.valid.eq(written.alive), table.entry.key.eq(written.reference), table.entry.value.eq(written.order),
            table.clear.eq(self.clear), table.row.eq(self.row),
        ]
        return m
