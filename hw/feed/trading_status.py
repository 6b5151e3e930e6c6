"""What a venue says of a symbol's trading, put among the events of its book: so it takes effect in its turn, and only once."""

from amaranth.hdl import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import BookEvent, BookEventKind, MarketState, Side

TRADING_ACTION, OPERATIONAL_HALT, TRADING = map(ord, "HhT")


class TradingStatus(wiring.Component):
    """Makes HALT and RESUME of a decoder's trading actions (H) and operational halts (h). Any state but T is a halt.

    Ports
    -----
    events : In(stream.Signature(BookEvent, always_ready=True))
    state : In(stream.Signature(MarketState, always_ready=True))
        Never in the same cycle as an event.
    output : Out(stream.Signature(BookEvent, always_ready=True))
        Both, without a delay.
    """

    events: In(stream.Signature(BookEvent, always_ready=True))
    state: In(stream.Signature(MarketState, always_ready=True))
    output: Out(stream.Signature(BookEvent, always_ready=True))

    def elaborate(self, platform):
        m = Module()
        state, output = self.state.payload, self.output.payload
        operational = state.kind == OPERATIONAL_HALT
        m.d.comb += [
            output.eq(self.events.payload),
            self.output.valid.eq(self.events.valid | (self.state.valid & (operational | (state.kind == TRADING_ACTION)))),
        ]
        with m.If(self.state.valid):
            m.d.comb += [
                output.kind.eq(Mux(state.code == TRADING, BookEventKind.RESUME, BookEventKind.HALT)),
                output.side.eq(Mux(operational, Side.SELL, Side.BUY)),
                output.partial.eq(0),
                *(output[field].eq(state[field]) for field in ("locate", "sequence", "timestamp", "ingress")),
            ]
        return m
