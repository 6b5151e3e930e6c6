"""What has been signalled, symbol by symbol, and until when a symbol rests."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.lib.slot_table import style
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
    stays : In(ways)
        What stays signalled if it has been: what the decision's record finds to be an opportunity, or without a record all.
    chosen : In(ways)
        What is signalled now: a bit or, always without a record, none.
    fire : In(1)
        With ``chosen``: there is one.
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
            "valid": In(1), "symbol": In(SymbolIndex), "stays": In(ways), "chosen": In(ways), "fire": In(1), "cooldown": In(Cycles),
            "starting": In(1), "walk": In(SymbolIndex),
            "coming": Out(ways), "before": Out(ways), "rests": Out(1), "last": Out(ways), "rests_still": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layout = data.StructLayout({"signalled": self._ways, "cooling": 1, "until": 33})
        m.submodules.memory = memory = Memory(shape=layout, depth=self._symbols, init=[], attrs={**style(self._symbols), "no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port()  # what is read in the cycle of its writing is not used

        # A record is asked for, loaded, judged and decided (3); the memory learns of it a cycle after (4).
        sweep, slots = Signal(range(self._symbols)), [Signal(SymbolIndex, name=f"slot_{cycle}") for cycle in range(5)]
        names = ("loaded", "state", "after", "written", "undecided", "coming")
        loaded, state, after, written, undecided, coming = (Signal(layout, name=name) for name in names)
        same, again, started = self._same(m, slots), Signal(), Signal(init=1)
        with m.If(~self.valid):
            m.d.sync += sweep.eq(Mux(sweep == self._symbols - 1, 0, sweep + 1))
        m.d.comb += [
            slots[0].eq(Mux(self.valid, self.symbol, sweep)), read.addr.eq(slots[0]),
            # Loaded is what was decided four records ago, or before; later decisions come from the registers.
            coming.eq(Mux(same[2, 3], undecided.as_value(), Mux(same[2, 4], after.as_value(), loaded.as_value()))),
            self.coming.eq(coming.signalled), self.before.eq(state.signalled),
            write.addr.eq(slots[4]), write.data.eq(after), write.en.eq(1),
        ]
        m.d.sync += [
            *(later.eq(one) for one, later in zip(slots, slots[1:], strict=False)),
            loaded.eq(Mux(same[1, 4], after.as_value(), Mux(same[1, 5], written.as_value(), read.data.as_value()))),
            state.eq(coming), written.eq(after), started.eq(self.starting), again.eq(same[2, 3]),
        ]
        self._decide(m, again, state, after, undecided, coming)
        with m.If(self.starting):
            m.d.comb += [write.addr.eq(self.walk), write.data.eq(0)]
            m.d.sync += [state.eq(0), written.eq(0)]
        with m.If(self.starting | started):  # what was read in the walk's last cycle may be older than the walk
            m.d.sync += loaded.eq(0)
        return m

    @staticmethod
    def _same(m, slots):
        """Which stages have the same symbol, known as the cycle begins; 5 is the one that was written in the last cycle."""
        same = {pair: Signal(init=1, name=f"same_{pair[0]}_{pair[1]}") for pair in ((1, 4), (1, 5), (2, 3), (2, 4))}
        m.d.sync += [bit.eq(slots[one - 1] == slots[other - 1]) for (one, other), bit in same.items()]
        return same

    def _decide(self, m, again, state, after, undecided, coming):
        """What becomes of a symbol's state: ``undecided`` without the signal of this cycle, ``after`` with it, a cycle later."""
        fired, chosen, held, rest = Signal(), Signal(self._ways), Signal.like(after), Signal.like(after)
        next_now, now = Signal(33, init=1), Signal(33)
        known, until = Signal(self._ways), Signal(33)
        m.d.sync += [
            chosen.eq(self.chosen), fired.eq(self.fire), next_now.eq(next_now + 1), now.eq(next_now),
            self.rests.eq(coming.cooling & ~(coming.until - next_now)[32]),
            held.eq(undecided), rest.cooling.eq(self.cooldown != 0), rest.until.eq(now + self.cooldown),  # begins, if it is signalled
        ]
        with m.If(self.starting):
            m.d.sync += held.eq(0)
        m.d.comb += [
            self.last.eq(Mux(again, chosen, 0)),
            self.rests_still.eq(Mux(again & fired, rest.cooling, self.rests)),
            until.eq(Mux(again & fired, rest.until, state.until)),
            known.eq(state.signalled | self.last),
            undecided.signalled.eq(known & self.stays),
            undecided.cooling.eq(self.rests_still), undecided.until.eq(until),
            after.signalled.eq(held.signalled | chosen),
            after.cooling.eq(Mux(fired, rest.cooling, held.cooling)), after.until.eq(Mux(fired, rest.until, held.until)),
        ]
