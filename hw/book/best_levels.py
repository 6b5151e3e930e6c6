"""The two best levels of every side of every symbol: what every event is answered from, without a search."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
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
    """Holds the two best levels of both sides of one symbol in registers, those of the others in a memory.

    When the best level empties the second takes its place at once. Then the second is not known until it was searched and
    given to ``refill``; nothing else can be taken or loaded in the meantime.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    load : In(1), symbol : In
        Cycle t: the levels of ``symbol`` are wanted; they are there from t + 2 on (those of the symbol before until t + 1).
    best : Out(2 levels)
        The symbol's best bid and best ask.
    side : In(Side)
        What the event is about.
    near : Out(level)
        The best level of ``side``, combinational.
    known : Out(1)
        The second best level of ``side`` is known.
    following : Out(2 levels)
        ``best`` as it will be in the next cycle, combinational.
    price : In(Price), shares : In(Shares)
        A new order, compared in the cycle before ``add``; a ``take`` in that cycle is heeded.
    improves, joins : Out(1)
        It is better than ``near``, or at the same price.
    stays : Out(1)
        It is at the price that ``near`` had in the cycle before.
    overflow : Out(1)
        With ``joins``: a total does not fit.
    add : In(1), slot : In
        The new order is added; ``slot`` is its level.
    took_slot : In, took_shares : In(Shares)
        The level that an order, or some of its shares, leaves, and how many; from two cycles before ``take`` on.
    took_best : Out(1)
        With ``take``: it is the best level.
    take : In(1), totals : In(Totals), emptied : In(1)
        The shares leave: what remains. Only while ``known``.
    refill : In(1), second : In(level)
        The second best level of ``side``.
    clear : In(1), row : In
        Empties row ``row`` of the memory.

    At most one of ``load``, ``add``, ``take`` and ``refill`` in a cycle.
    """

    def __init__(self, config: CardConfig):
        self._depth = max(2, config.symbols)
        level = level_layout(config)
        both = data.ArrayLayout(level, 2)
        bits = symbol_bits(config)
        slot = slot_bits(config)
        super().__init__({
            "load": In(1),
            "symbol": In(bits),
            "best": Out(both),
            "side": In(Side),
            "near": Out(level),
            "known": Out(1),
            "following": Out(both),
            "price": In(Price),
            "shares": In(Shares),
            "improves": Out(1),
            "joins": Out(1),
            "stays": Out(1),
            "overflow": Out(1),
            "add": In(1),
            "slot": In(slot),
            "took_slot": In(slot),
            "took_shares": In(Shares),
            "took_best": Out(1),
            "take": In(1),
            "totals": In(Totals),
            "emptied": In(1),
            "refill": In(1),
            "second": In(level),
            "clear": In(1),
            "row": In(bits + 1),
        })
        self._seconds, self._unknown = Signal(both), Signal()
        self._second, self._new = Signal(level), Signal(level)

    def elaborate(self, platform):
        m = Module()
        self._loading = Signal()
        m.d.comb += [
            self.near.eq(self._of_side(self.best)),
            self._second.eq(self._of_side(self._seconds)),
            self.known.eq(~self._unknown),
            self._new.price.eq(self.price), self._new.slot.eq(self.slot), self._new.valid.eq(1),
            self._new.totals.shares.eq(self.shares), self._new.totals.orders.eq(1),
        ]
        loaded = self._remember(m)
        self._compare_took(m)
        self._compare_new(m)
        self._keep_best(m, loaded)
        self._keep_second(m, loaded)
        with m.If(self.clear):
            m.d.sync += [self.best.eq(0), self._seconds.eq(0), self._unknown.eq(0)]
        return m

    def _of_side(self, levels):
        return Mux(self.side.as_value(), levels[1].as_value(), levels[0].as_value())

    def _remember(self, m):
        """The memory of all symbols. It is read only for another symbol than the one that is held, and so may be written."""
        row = data.StructLayout({"best": self.best.shape(), "seconds": self.best.shape()})
        m.submodules.levels = memory = ExclusiveMemory(shape=row, depth=self._depth)
        read, write = memory.read_port(), memory.write_port()
        held, changed = Signal.like(self.symbol), Signal()
        m.d.comb += [
            read.addr.eq(self.symbol),
            read.en.eq(self.load & (self.symbol != held)),
            write.addr.eq(Mux(self.clear, self.row, held)),
            write.data.eq(Mux(self.clear, 0, Cat(self.best, self._seconds))),
            write.en.eq(self.clear | changed),
        ]
        m.d.sync += [self._loading.eq(read.en), changed.eq(self.add | self.take | self.refill)]
        with m.If(self.load):
            m.d.sync += held.eq(self.symbol)
        return read.data

    def _compare_took(self, m):
        """Which of the two levels is the one that shares leave; a bit a side for the best."""
        self._took, self._took_second = Signal(2), Signal()
        side = self.side.as_value()
        mine = Cat(level.valid & (level.slot == self.took_slot) & (side == index) for index, level in enumerate(self.best))
        m.d.sync += [
            self._took.eq(mine),
            self.took_best.eq(mine.any()),
            self._took_second.eq(self._second.valid & (self._second.slot == self.took_slot)),
        ]

    def _compare_new(self, m):
        """The new order against the best and the second level: better, equal, and the totals with the order in them."""
        side = self.side.as_value()
        sells = side.replicate(32)
        instead = Signal(signed(33))  # the shares that come less those that go
        m.d.sync += instead.eq(self.shares - self.took_shares)

        def compare(level, took):
            leaves = self.take & took
            shares, orders = Signal(signed(34)), Signal(17)
            m.d.comb += [
                shares.eq(level.totals.shares + Mux(leaves, instead, self.shares)),
                orders.eq(level.totals.orders + ~leaves),
            ]
            better = ~level.valid | ((self.price ^ sells) > (level.price ^ sells))
            equal = level.valid & (self.price == level.price)
            return better, equal, Cat(shares[:32], orders[:16]), shares[32] | orders[16]

        first, second = compare(self.near, self.took_best), compare(self._second, self._took_second)
        promoted = self.take & self.took_best & self.emptied
        self._beats, self._meets = Signal(2), Signal(2)  # a bit a side
        self._joined, self._joined_second = Signal(Totals), Signal(Totals)
        self._improves_second, self._joins_second = Signal(), Signal()
        better, equal = Mux(promoted, second[0], first[0]), Mux(promoted, second[1], first[1])
        m.d.sync += [
            self.improves.eq(better), self._beats.eq(Mux(better, Cat(~side, side), 0)),
            self.joins.eq(equal), self._meets.eq(Mux(equal, Cat(~side, side), 0)),
            self._joined.eq(Mux(promoted, second[2], first[2])), self.overflow.eq(Mux(promoted, second[3], first[3])),
            self.stays.eq(first[1]),
            self._improves_second.eq(second[0]), self._joins_second.eq(second[1]), self._joined_second.eq(second[2]),
        ]

    def _keep_best(self, m, loaded):
        for index in range(2):
            after = self.following[index]
            m.d.comb += after.eq(self.best[index])
            with m.If(self.add & self._beats[index]):
                m.d.comb += after.eq(self._new)
            with m.Elif(self.add & self._meets[index]):
                m.d.comb += after.totals.eq(self._joined)
            with m.Elif(self.take & self._took[index] & self.emptied):
                m.d.comb += after.eq(self._seconds[index])
            with m.Elif(self.take & self._took[index]):
                m.d.comb += after.totals.eq(self.totals)
        m.d.sync += self.best.eq(Mux(self._loading, loaded.best.as_value(), self.following.as_value()))

    def _keep_second(self, m, loaded):
        second, unknown, after = self._second, self._unknown, Signal.like(self._second)
        m.d.comb += after.eq(second)
        with m.If(self.refill):
            m.d.comb += after.eq(self.second)
            m.d.sync += unknown.eq(0)
        with m.Elif(self.add & self.improves):
            m.d.comb += after.eq(self.near)
            m.d.sync += unknown.eq(0)
        with m.Elif(self.add & ~self.joins & ~unknown):
            with m.If(self._improves_second):
                m.d.comb += after.eq(self._new)
            with m.Elif(self._joins_second):
                m.d.comb += after.totals.eq(self._joined_second)
        with m.Elif(self.take & self.emptied & (self.took_best | self._took_second)):
            m.d.comb += after.eq(0)
            m.d.sync += unknown.eq(second.valid)
        with m.Elif(self.take & self._took_second):
            m.d.comb += after.totals.eq(self.totals)
        for index in range(2):
            mine = self.side.as_value() == index
            m.d.sync += self._seconds[index].eq(
                Mux(self._loading, loaded.seconds[index].as_value(), Mux(mine, after.as_value(), self._seconds[index].as_value())))
