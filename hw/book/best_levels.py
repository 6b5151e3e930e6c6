"""The two best levels of every side of every symbol: what every event is answered from, without a search."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.book.order_store import slot_bits, symbol_bits
from hw.book.price_levels import Totals
from hw.config import CardConfig
from hw.lib.exclusive_memory import ExclusiveMemory
from hw.types import Price, Shares, Side


def level_layout(config: CardConfig) -> data.StructLayout:
    """A level; all zero where there is none."""
    return data.StructLayout({"price": Price, "slot": slot_bits(config), "valid": 1, "totals": Totals})


class BestLevels(wiring.Component):
    """Holds the best bid and ask of one symbol and the second best level of one side in registers, those of the others in memories.

    When the best level empties the second takes its place at once. Then the second is not known until it was searched and
    given to ``refill``; nothing can be taken in the meantime.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    symbol : In, side : In(Side)
        What the event is about.
    load : In(1)
        Cycle t: read the levels of ``symbol`` and ``side``; they are there from t + 2 on.
    best : Out(2 levels)
        The symbol's best bid and best ask.
    near : Out(level)
        The one of ``side``, combinational.
    known : Out(1)
        The second best level of ``side`` is known.
    following : Out(2 levels)
        ``best`` as it will be in the next cycle, combinational.
    price : In(Price), shares : In(Shares)
        A new order, compared with the levels of the cycle before.
    improves, joins : Out(1)
        It is better than ``near``, or at the same price.
    overflow : Out(1)
        With ``joins``: a total does not fit.
    add : In(1), slot : In
        The new order is added; ``slot`` is its level.
    took_slot : In
        The level that an order left; it must have been there in the cycle before.
    took_best : Out(1)
        ``took_slot`` is the best of ``side``. In t + 2 after a load, for this one cycle.
    take : In(1), totals : In(Totals), emptied : In(1)
        An order, or some of its shares, leaves ``took_slot``: what remains. Only while ``known``.
    refill : In(1), second : In(level)
        The second best level of ``side``.
    clear : In(1), row : In
        Empties row ``row`` of both memories.

    At most one of ``load``, ``add``, ``take`` and ``refill`` in a cycle; no load in the cycle after another of them, and a ``take`` only in
    t + 2 after a load.
    """

    def __init__(self, config: CardConfig):
        self._depth = max(2, config.symbols)
        level = level_layout(config)
        both = data.ArrayLayout(level, 2)
        bits = symbol_bits(config)
        slot = slot_bits(config)
        super().__init__({
            "symbol": In(bits),
            "side": In(Side),
            "load": In(1),
            "best": Out(both),
            "near": Out(level),
            "known": Out(1),
            "following": Out(both),
            "price": In(Price),
            "shares": In(Shares),
            "improves": Out(1),
            "joins": Out(1),
            "overflow": Out(1),
            "add": In(1),
            "slot": In(slot),
            "took_slot": In(slot),
            "took_best": Out(1),
            "take": In(1),
            "totals": In(Totals),
            "emptied": In(1),
            "refill": In(1),
            "second": In(level),
            "clear": In(1),
            "row": In(bits + 1),
        })

    def elaborate(self, platform):
        m = Module()
        self._second, self._unknown = Signal.like(self.near), Signal()
        self._new = Signal.like(self.near)
        m.d.comb += [
            self.near.eq(Mux(self.side.as_value(), self.best[1].as_value(), self.best[0].as_value())),
            self.known.eq(~self._unknown),
            self._new.price.eq(self.price), self._new.slot.eq(self.slot), self._new.valid.eq(1),
            self._new.totals.shares.eq(self.shares), self._new.totals.orders.eq(1),
        ]
        self._loading, self._changing = Signal(), Signal()
        m.d.sync += [self._loading.eq(self.load), self._changing.eq(self.add | self.take | self.refill)]
        self._compare(m)
        self._keep_best(m)
        self._keep_second(m)
        return m

    def _compare(self, m):
        """The new order against the best and the second level: better, equal, and the totals with the order in them."""
        sells = self.side.as_value().replicate(32)

        def compare(level, better, equal, joined, carries):
            m.d.sync += [
                better.eq(~level.valid | ((self.price ^ sells) > (level.price ^ sells))),
                equal.eq(level.valid & (self.price == level.price)),
                Cat(joined.shares, carries[0]).eq(level.totals.shares + self.shares),
                Cat(joined.orders, carries[1]).eq(level.totals.orders + 1),
            ]

        carries = Signal(2)
        self._joined, self._joined_second = Signal(Totals), Signal(Totals)
        self._improves_second, self._joins_second = Signal(), Signal()
        compare(self.near, self.improves, self.joins, self._joined, carries)
        compare(self._second, self._improves_second, self._joins_second, self._joined_second, Signal(2, name="carries_second"))
        m.d.comb += self.overflow.eq(carries.any())

    def _keep_best(self, m):
        m.submodules.bests = memory = ExclusiveMemory(shape=self.best.shape(), depth=self._depth)
        read, write = memory.read_port(), memory.write_port()
        side = self.side.as_value()
        m.d.comb += [
            read.addr.eq(self.symbol),
            read.en.eq(self.load),
            write.addr.eq(Mux(self.clear, self.row, self.symbol)),
            write.data.eq(Mux(self.clear, 0, self.best.as_value())),
            write.en.eq(self.clear | self._changing),
        ]

        changes, after = Signal(), Signal.like(self.near)
        m.d.comb += [
            changes.eq(Mux(self.add, self.improves | self.joins, self.take & self.took_best)),
            after.eq(self.near),
            after.totals.eq(Mux(self.add, self._joined.as_value(), self.totals.as_value())),
        ]
        with m.If(self.add & self.improves):
            m.d.comb += after.eq(self._new)
        with m.Elif(~self.add & self.emptied):
            m.d.comb += after.eq(self._second)
        for index in range(2):
            mine = changes & (side == index)
            m.d.comb += self.following[index].eq(Mux(mine, after.as_value(), self.best[index].as_value()))
        loaded = [level.valid & (level.slot == self.took_slot) for level in read.data]
        m.d.sync += [
            self.best.eq(Mux(self._loading, read.data.as_value(), self.following.as_value())),
            self.took_best.eq(Mux(side, loaded[1], loaded[0])),
        ]

    def _keep_second(self, m):
        row = data.StructLayout({"level": self._second.shape(), "unknown": 1})
        m.submodules.seconds = memory = ExclusiveMemory(shape=row, depth=2 * self._depth)
        read, write = memory.read_port(), memory.write_port()
        second, unknown, took_second = self._second, self._unknown, Signal()
        m.d.comb += [
            read.addr.eq(Cat(self.side, self.symbol)),
            read.en.eq(self.load),
            write.addr.eq(Mux(self.clear, self.row, Cat(self.side, self.symbol))),
            write.data.eq(Mux(self.clear, 0, Cat(second, unknown))),
            write.en.eq(self.clear | self._changing),
        ]
        m.d.sync += took_second.eq(read.data.level.valid & (read.data.level.slot == self.took_slot))
        with m.If(self.clear):
            m.d.sync += unknown.eq(0)
        with m.Elif(self._loading):
            m.d.sync += [second.eq(read.data.level), unknown.eq(read.data.unknown)]
        with m.Elif(self.refill):
            m.d.sync += [second.eq(self.second), unknown.eq(0)]
        with m.Elif(self.add & self.improves):
            m.d.sync += [second.eq(self.near), unknown.eq(0)]
        with m.Elif(self.add & ~self.joins & ~unknown):
            with m.If(self._improves_second):
                m.d.sync += second.eq(self._new)
            with m.Elif(self._joins_second):
                m.d.sync += second.totals.eq(self._joined_second)
        with m.Elif(self.take & self.emptied & (self.took_best | took_second)):
            m.d.sync += [second.eq(0), unknown.eq(second.valid)]
        with m.Elif(self.take & took_second):
            m.d.sync += second.totals.eq(self.totals)
