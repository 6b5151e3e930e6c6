"""What has been signalled, symbol by symbol, and until when a symbol rests."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.types import Cycles, SymbolIndex


class Signalled(wiring.Component):
    """Remembers opportunities by bits, one each, for every symbol: a bit stays set while its opportunity is there.

    Every cycle is a record's, or else some symbol's in turn, whose rest may be over. Who decides need not wait for what the very last
    record signalled: as long as its orders go out there is no other signal.

    Parameters
    ----------
    symbols : int
    ways : int
        Opportunities that a symbol may have.

    Ports
    -----
    valid : In(1)
        A record ...
    symbol : In(SymbolIndex)
        ... of this symbol comes to its decision in three cycles.
    there : In(ways)
        The decision's record: what is an opportunity.
    chosen : In(ways)
        What is signalled now: a bit or, always without a record, none.
    cooldown : In(Cycles)
        Of the decision's cycle.
    starting : In(1)
        Forgets ``walk``.
    walk : In(SymbolIndex)
    coming : Out(ways)
        What was signalled before the record that is decided in the next cycle, but for the record right before it.
    before : Out(ways)
        The same, a cycle later.
    rests : Out(1)
        With ``before``: the symbol rests, whatever the record right before it did.
    last : Out(ways)
        What the record right before has signalled, if it was one of the same symbol.
    rests_still : Out(1)
        The symbol rests, with what the record right before it did.

    Notes
    -----
    A cooldown of n covers the decisions of n cycles. It is forgotten once it is over at the first gap in the records; only if there
    were none for 2^32 cycles (27 s) could it come back.
    """

    LATENCY = 3

    def __init__(self, symbols: int, ways: int):
        self._symbols, self._ways = symbols, ways
        super().__init__({
            "valid": In(1), "symbol": In(SymbolIndex), "there": In(ways), "chosen": In(ways), "cooldown": In(Cycles),
            "starting": In(1), "walk": In(SymbolIndex),
            "coming": Out(ways), "before": Out(ways), "rests": Out(1), "last": Out(ways), "rests_still": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layout = data.StructLayout({"signalled": self._ways, "cooling": 1, "until": 33})
        m.submodules.memory = memory = Memory(shape=layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        write = memory.write_port()
        read = memory.read_port(transparent_for=[write])

        # A record is asked for, loaded, judged and decided (3); the memory learns of it a cycle after (4).
        sweep, slots = Signal(range(self._symbols)), [Signal(SymbolIndex, name=f"slot_{cycle}") for cycle in range(5)]
        valids = [self.valid, *(Signal(name=f"valid_{cycle}") for cycle in (1, 2, 3))]
        names = ("loaded", "state", "after", "undecided", "coming")
        loaded, state, after, undecided, coming = (Signal(layout, name=name) for name in names)
        with m.If(~self.valid):
            m.d.sync += sweep.eq(Mux(sweep == self._symbols - 1, 0, sweep + 1))
        m.d.comb += [
            slots[0].eq(Mux(self.valid, self.symbol, sweep)), read.addr.eq(slots[0]),
            # Loaded is what was decided four records ago; later decisions come from the registers.
            coming.eq(Mux(slots[2] == slots[3], undecided.as_value(),
                          Mux(slots[2] == slots[4], after.as_value(), loaded.as_value()))),
            self.coming.eq(coming.signalled), self.before.eq(state.signalled),
            write.addr.eq(slots[4]), write.data.eq(after), write.en.eq(1),
        ]
        m.d.sync += [
            *(later.eq(one) for line in (slots, valids) for one, later in zip(line, line[1:], strict=False)),
            loaded.eq(Mux(slots[1] == slots[4], after.as_value(), read.data.as_value())),
            state.eq(coming),
        ]
        self._decide(m, valids[3], slots, state, after, undecided, coming)
        with m.If(self.starting):
            m.d.comb += [write.addr.eq(self.walk), write.data.eq(0)]
            m.d.sync += [after.eq(0), state.eq(0), loaded.eq(0)]
        return m

    def _decide(self, m, valid, slots, state, after, undecided, coming):
        """What becomes of a symbol's state: ``undecided`` without the signal of this cycle, ``after`` with it, a cycle later."""
        again, fired, chosen = Signal(), Signal(), Signal(self._ways)
        next_now, now = Signal(33, init=1), Signal(33)
        known, fires, until = Signal(self._ways), Signal(), Signal(33)
        m.d.sync += [
            again.eq(slots[2] == slots[3]), chosen.eq(self.chosen), fired.eq(fires), next_now.eq(next_now + 1), now.eq(next_now),
            self.rests.eq(coming.cooling & ~(coming.until - next_now)[32]),
            after.eq(undecided),
        ]
        m.d.comb += [
            fires.eq(self.chosen.any()),
            self.last.eq(Mux(again, chosen, 0)),
            self.rests_still.eq(Mux(again & fired, after.cooling, self.rests)),
            until.eq(Mux(again & fired, after.until, state.until)),
            known.eq(state.signalled | self.last),
            undecided.signalled.eq(Mux(valid, known & self.there, known)),
            undecided.cooling.eq(self.rests_still), undecided.until.eq(until),
        ]
        with m.If(fires):
            m.d.sync += [
                after.signalled.eq(undecided.signalled | self.chosen),
                after.cooling.eq(self.cooldown != 0), after.until.eq(now + self.cooldown),
            ]
