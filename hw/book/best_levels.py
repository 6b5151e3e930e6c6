"""The best level of both sides of every symbol: what most events are answered from, without a search."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.book.order_store import slot_bits, symbol_bits
from hw.config import CardConfig
from hw.types import OrderCount, Price, Shares, Side


def best_layout(config: CardConfig) -> data.StructLayout:
    """A best level; all zero where the side is empty."""
    return data.StructLayout({
        "price": Price,
        "slot": slot_bits(config),
        "valid": 1,
        "shares": Shares,
        "orders": OrderCount,
    })


class BestLevels(wiring.Component):
    """Holds the best levels of one symbol in registers, those of the others in a memory.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    symbol : In, side : In(Side)
        What the event is about.
    load : In(1)
        Cycle t: read the levels of ``symbol``; they are in ``best`` from t + 2 on.
    best : Out(2 levels)
        The symbol's best bid and best ask.
    near : Out(level)
        The one of ``side``, combinational.
    slot : In, holds : Out(1)
        In t + 2, if ``slot`` and ``side`` were there a cycle before: the best level of ``side`` is the one in ``slot``.
    replace : In(1), level : In(level)
        ``level`` becomes the best of ``side``. No load in the same or the next cycle.
    following : Out(2 levels)
        ``best`` as it will be in the next cycle, combinational.
    price : In(Price), shares : In(Shares)
        A new order.
    improves : Out(1), joins : Out(1), joined : Out(level), joined_overflow : Out(1)
        The order compared with ``near`` of the cycle before: it is better, or at the same price; the level with the
        order in it, and whether a total of it did not fit.
    clear : In(1), row : In
        Empties the levels of symbol ``row``.
    """

    def __init__(self, config: CardConfig):
        self._depth = max(2, config.symbols)
        level = best_layout(config)
        both = data.ArrayLayout(level, 2)
        bits = symbol_bits(config)
        super().__init__({
            "symbol": In(bits),
            "side": In(Side),
            "load": In(1),
            "best": Out(both),
            "near": Out(level),
            "slot": In(slot_bits(config)),
            "holds": Out(1),
            "replace": In(1),
            "level": In(level),
            "following": Out(both),
            "price": In(Price),
            "shares": In(Shares),
            "improves": Out(1),
            "joins": Out(1),
            "joined": Out(level),
            "joined_overflow": Out(1),
            "clear": In(1),
            "row": In(bits),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.best.shape(), depth=self._depth, init=[])
        read = memory.read_port()
        write = memory.write_port()
        side = self.side.as_value()

        loading = Signal()
        changed = Signal()
        m.d.sync += [loading.eq(self.load), changed.eq(self.replace)]
        m.d.comb += [
            read.addr.eq(self.symbol),
            read.en.eq(self.load),
            write.addr.eq(Mux(self.clear, self.row, self.symbol)),
            write.data.eq(Mux(self.clear, 0, self.best.as_value())),
            write.en.eq(self.clear | changed),
            self.near.eq(Mux(side, self.best[1].as_value(), self.best[0].as_value())),
        ]
        for index in range(2):
            mine = self.replace & (side == index)
            m.d.comb += self.following[index].eq(Mux(mine, self.level.as_value(), self.best[index].as_value()))
        loaded = [read.data[index].valid & (read.data[index].slot == self.slot) for index in range(2)]
        m.d.sync += [
            self.best.eq(Mux(loading, read.data.as_value(), self.following.as_value())),
            self.holds.eq(Mux(side, loaded[1], loaded[0])),
        ]

        sells = side.replicate(32)
        near = self.near
        carries = Signal(2)
        m.d.comb += self.joined_overflow.eq(carries.any())
        m.d.sync += [
            self.improves.eq(~near.valid | ((self.price ^ sells) > (near.price ^ sells))),
            self.joins.eq(near.valid & (self.price == near.price)),
            self.joined.eq(near),
            Cat(self.joined.shares, carries[0]).eq(near.shares + self.shares),
            Cat(self.joined.orders, carries[1]).eq(near.orders + 1),
        ]
        return m
