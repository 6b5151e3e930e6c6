"""What the quoter keeps of each symbol: its parameters, and the risk of a share and the spread that follow from them."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.lib.multiplier import Multiplier
from hw.lib.slot_table import SlotSettings, SlotTable
from hw.settings import QuoterParameters, SymbolVariance
from hw.strategy.quote_prices import DISTANCE_BITS, FRACTION, RISK_FRACTION
from hw.types import SymbolIndex

TIME_UNIT = 16
"""Time left counts in 2^16 cycles."""


class QuoteTerms(data.Struct):
    """Of a symbol, all of one commit."""

    parameters: QuoterParameters
    share_risk: 32
    """gamma x variance x time left, for one share: ticks with 24 bits behind the point."""
    half_spread: DISTANCE_BITS
    """(gamma x variance x time left, for the shares of a quote, + constant) / 2: ticks with 12 bits behind the point."""
    usable: 1
    """Parameters and a variance are there, it is enabled, there is time left, a quote has shares, and all fits."""
    fresh: 1
    """The terms belong to the parameters: those of a commit are not worked out yet."""


class QuoteRisk(wiring.Component):
    """Works out every symbol's terms in turn, for ever, from its parameters, its variance and the time left.

    Parameters
    ----------
    symbols : int

    Ports
    -----
    parameters : In(stream of SlotSettings of QuoterParameters, always ready)
        Those of an unknown symbol are dropped.
    variances : In(stream of SymbolVariance, always ready)
        Likewise.
    unmeasured : In(1)
        Pulse: no symbol's variance is known any more.
    now : In(64)
        The card's clock.
    symbol : In(SymbolIndex)
    terms : Out(QuoteTerms)
        Of the ``symbol`` of the cycle before.

    Notes
    -----
    A symbol takes 13 cycles, so the terms follow variance and time in 26 x ``symbols`` cycles at most (two visits: what comes in
    the middle of one is seen by the next).
    """

    STEPS = 13

    def __init__(self, symbols: int):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        super().__init__({
            "parameters": In(stream.Signature(SlotSettings(QuoterParameters), always_ready=True)),
            "variances": In(stream.Signature(SymbolVariance, always_ready=True)),
            "unmeasured": In(1),
            "now": In(64),
            "symbol": In(SymbolIndex),
            "terms": Out(QuoteTerms),
        })
        self._symbols = symbols

    def elaborate(self, platform):
        m = Module()
        self._walk, self._step = Signal(range(self._symbols)), Signal(range(self.STEPS))
        self._fresh, self._measured = Signal(self._symbols), Signal(self._symbols)
        result_write = self._tables(m)
        self._work_out(m, result_write)

        m.d.sync += self._step.eq(self._step + 1)
        with m.If(self._step == self.STEPS - 1):
            m.d.sync += [self._step.eq(0), self._walk.eq(Mux(self._walk == self._symbols - 1, 0, self._walk + 1))]
        commit, given = self.parameters.payload, self.variances.payload
        for symbol in range(self._symbols):
            with m.If(self.variances.valid & (given.symbol == symbol)):
                m.d.sync += self._measured[symbol].eq(given.valid)
            with m.If(self.parameters.valid & (commit.symbol == symbol)):
                m.d.sync += self._fresh[symbol].eq(0)
                with m.If(self._walk == symbol):
                    m.d.sync += [self._step.eq(0), self._walk.eq(self._walk)]  # from the beginning
        with m.If(self.unmeasured):
            m.d.sync += self._measured.eq(0)
        return m

    def _tables(self, m):
        """Parameters, variances and results; the ports for what is looked up and for the walk."""
        commit, given = self.parameters.payload, self.variances.payload
        result = data.StructLayout({"share_risk": 32, "half_spread": DISTANCE_BITS, "usable": 1})
        ram = {"ram_style": "distributed"}
        m.submodules.looked_up = looked_up = SlotTable(QuoterParameters, self._symbols)
        m.submodules.walked = walked = SlotTable(QuoterParameters, self._symbols)
        m.submodules.variances = variances = Memory(shape=32, depth=self._symbols, init=[], attrs=ram)
        m.submodules.results = results = Memory(shape=result, depth=self._symbols, init=[], attrs=ram)
        write_variance, variance = variances.write_port(), variances.read_port()
        write_result, answer = results.write_port(), results.read_port()
        for table, symbol in ((looked_up, self.symbol), (walked, self._walk)):
            m.d.comb += [table.input.payload.eq(commit), table.input.valid.eq(self.parameters.valid), table.symbol.eq(symbol)]
        m.d.comb += [
            write_variance.addr.eq(given.symbol), write_variance.data.eq(given.variance),
            write_variance.en.eq(self.variances.valid & (given.symbol < self._symbols)),
            answer.addr.eq(self.symbol), variance.addr.eq(self._walk), write_result.addr.eq(self._walk),
        ]
        fresh = Signal()
        m.d.sync += fresh.eq(self._fresh.bit_select(self.symbol, 1) & (self.symbol < self._symbols))
        m.d.comb += [
            self.terms.parameters.eq(looked_up.values), self.terms.share_risk.eq(answer.data.share_risk),
            self.terms.half_spread.eq(answer.data.half_spread), self.terms.usable.eq(answer.data.usable & fresh),
            self.terms.fresh.eq(fresh),
        ]
        self._parameters, self._variance = walked.values, variance.data
        return write_result

    def _work_out(self, m, write):
        """Three multiplications, one after the other, in one multiplier; each step's name is the cycle that it belongs to."""
        m.submodules.multiplier = multiplier = Multiplier()
        a, b = Signal(32), Signal(32)
        time_left, product = Signal(signed(33)), multiplier.product
        share, spread = Signal(32), Signal(64)
        too_large, enabled = Signal(), Signal()
        parameters = self._parameters
        m.d.comb += [multiplier.a.eq(a), multiplier.b.eq(b)]
        with m.Switch(self._step):
            with m.Case(1):  # the tables have answered
                m.d.sync += [
                    a.eq(parameters.aversion), b.eq(self._variance), time_left.eq(parameters.end - self.now[TIME_UNIT:TIME_UNIT + 32]),
                    enabled.eq(parameters.enable & (parameters.shares != 0) & self._measured.bit_select(self._walk, 1)),
                ]
            with m.Case(4):
                m.d.sync += [a.eq(product[32:]), b.eq(time_left[:32])]
            with m.Case(7):
                m.d.sync += [share.eq(product[16:48]), a.eq(product[16:48]), b.eq(parameters.shares), too_large.eq(product[48:].any())]
            with m.Case(10):
                m.d.sync += spread.eq(product[RISK_FRACTION - FRACTION:] + parameters.constant)
            with m.Case(11):
                m.d.comb += write.en.eq(1)
                with m.If(~(self.parameters.valid & (self.parameters.payload.symbol == self._walk))):
                    m.d.sync += self._fresh.bit_select(self._walk, 1).eq(1)
        m.d.comb += [
            write.data.share_risk.eq(share), write.data.half_spread.eq(spread[1:1 + DISTANCE_BITS]),
            write.data.usable.eq(enabled & ~too_large & ~spread[DISTANCE_BITS:].any() & (time_left > 0)),
        ]
