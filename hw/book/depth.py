"""Tells the best levels of a symbol, all as they are after one event."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.book.near_levels import Level, NearLevels
from hw.book.order_store import symbol_bits
from hw.config import CardConfig
from hw.lib.one_hot import OneHot
from hw.types import BookLevel, Sequence


class Depth(wiring.Component):
    """Reads the near levels of both sides while no event is taken, keeps them, and gives them out one by one.

    Parameters
    ----------
    config : CardConfig
    venue : int

    Ports
    -----
    ask : In(1), symbol : In
        Pulse: the levels of this symbol are wanted. Ignored while ``busy``.
    busy : Out(1)
        They are not all out yet, and for ``PACE`` cycles longer: until then the last one is where it goes.
    hold : Out(1)
        No event may be taken.
    quiet : In(1), sequence : In(Sequence)
        Nothing is under way, and no side lacks levels that it could have; the last event that was taken.
    look : Out(1), side : Out(1), of_symbol : Out
        Pulse to the near levels: show this row.
    seen_valid : In(1), seen : In(Level)
        What they show, the best level first.
    valid : Out(1), level : Out(BookLevel)
        The ``LEVELS`` best bids, then as many asks, the best first; price 0 where there is none. One every ``PACE`` cycles.
    """

    LEVELS = NearLevels.LOW
    PACE = 8

    def __init__(self, config: CardConfig, venue: int):
        self._venue = venue
        bits = symbol_bits(config)
        super().__init__({
            "ask": In(1), "symbol": In(bits), "busy": Out(1), "hold": Out(1), "quiet": In(1), "sequence": In(Sequence),
            "look": Out(1), "side": Out(1), "of_symbol": Out(bits), "seen_valid": In(1), "seen": In(Level),
            "valid": Out(1), "level": Out(BookLevel),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.kept = kept = Memory(shape=Level, depth=2 * NearLevels.LEVELS, init=[])
        write, read = kept.write_port(), kept.read_port(domain="comb")
        side, number, pace, sequence = Signal(), Signal(range(NearLevels.LEVELS)), Signal(range(self.PACE)), Signal(Sequence)
        m.d.comb += [
            write.addr.eq(Cat(number, side)), write.data.eq(self.seen), write.en.eq(self.seen_valid), read.addr.eq(Cat(number, side)),
            self.side.eq(side),
        ]
        m.d.sync += [pace.eq(pace + 1), self.valid.eq(0)]
        with m.If(self.seen_valid):
            m.d.sync += number.eq(number + 1)
        at = OneHot(m, "IDLE", "WAIT", "LOOK", "KEEP", "TELL", "TOLD")
        m.d.comb += [self.busy.eq(~at.now("IDLE")), self.hold.eq(at.now("WAIT") | at.now("LOOK") | at.now("KEEP"))]

        with at("IDLE"):
            m.d.sync += [self.of_symbol.eq(self.symbol), side.eq(0), number.eq(0)]
            with m.If(self.ask):
                at.go("WAIT")
            with m.Else():
                at.go("IDLE")
        with at("WAIT"):
            m.d.sync += sequence.eq(self.sequence)
            with m.If(self.quiet):
                at.go("LOOK")
            with m.Else():
                at.go("WAIT")
        with at("LOOK"):
            m.d.comb += self.look.eq(1)
            at.go("KEEP")
        with at("KEEP"):
            with m.If(self.seen_valid & (number == NearLevels.LEVELS - 1)):
                m.d.sync += side.eq(~side)
                with m.If(side):
                    m.d.sync += pace.eq(0)
                    at.go("TELL")
                with m.Else():
                    at.go("LOOK")
            with m.Else():
                at.go("KEEP")
        with at("TELL"):
            last = number == self.LEVELS - 1
            price = Mux(read.data.valid, read.data.rank ^ side.replicate(32), 0)
            m.d.sync += [
                self.level.venue.eq(self._venue), self.level.symbol.eq(self.of_symbol), self.level.side.eq(side),
                self.level.number.eq(number), self.level.price.eq(price), self.level.shares.eq(read.data.totals.shares),
                self.level.orders.eq(read.data.totals.orders), self.level.sequence.eq(sequence),
            ]
            with m.If(pace.all()):
                m.d.sync += [self.valid.eq(1), number.eq(Mux(last, 0, number + 1)), side.eq(side | last)]
            with m.If(pace.all() & last & side):
                at.go("TOLD")
            with m.Else():
                at.go("TELL")
        with at("TOLD"):
            with m.If(pace.all()):
                at.go("IDLE")
            with m.Else():
                at.go("TOLD")
        return m
