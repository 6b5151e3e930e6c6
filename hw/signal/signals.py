"""All signals of one venue's symbols."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.signal.ema import Ema, EmaValue
from hw.signal.last_values import LastValues
from hw.signal.macd import Macd, MacdValue
from hw.signal.order_flow import OrderFlow, OrderFlowValue
from hw.signal.pace import Pace
from hw.signal.records import TopUpdate
from hw.signal.rsi import Rsi, RsiValue
from hw.signal.sampler import Sampler
from hw.signal.traded_volume import TradedVolume, TradedVolumeValue
from hw.signal.volatility import Volatility, VolatilityValue
from hw.signal.weighted_mid import WeightedMid, WeightedMidValue
from hw.types import Execution, SignalSettings, SymbolIndex, TopOfBook

VALUES = {
    "ema": EmaValue, "rsi": RsiValue, "macd": MacdValue, "volatility": VolatilityValue,
    "order_flow": OrderFlowValue, "weighted_mid": WeightedMidValue, "traded_volume": TradedVolumeValue,
}
"""What each signal gives out."""


class SignalValues(data.Struct):
    """The last values of one symbol."""

    ema: EmaValue
    rsi: RsiValue
    macd: MacdValue
    volatility: VolatilityValue
    order_flow: OrderFlowValue
    weighted_mid: WeightedMidValue
    traded_volume: TradedVolumeValue


class Signals(wiring.Component):
    """Makes the signals of each symbol from the tops of book and the executions of the venue that the settings name.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopOfBook)
        Of all venues. Records without ``changed`` are no update. One that is stale, halted, partial, crossed or lacks a side makes the
        symbol's signals invalid until the next that is not.
    executions : In(stream of Execution).array(venues)
    settings : In(SignalSettings)
        May change in the cycle of ``restart``.
    restart : In(1)
        Pulse: every symbol begins anew, and for ``SETTLING_CYCLES`` no value is given out.
    ema, rsi, macd, volatility, order_flow, weighted_mid, traded_volume : Out(stream of its values)
        Each update, with ``valid`` 0 where it has no value.
    ask : In(1), symbol : In(SymbolIndex)
        Pulse: show the symbol's last values; ``symbol`` stays.
    shown : Out(SignalValues)
        From ``SHOW_CYCLES`` after ``ask`` on. What belongs to one signal is of one update.
    lost : Out(1)
        Pulse: updates came too fast, and every symbol begins anew. It never happens behind a book.

    Notes
    -----
    Latency from a record to a value, in cycles: 2 to choose it, 2 more to make a price sample of it where the signal is one of prices, and
    the signal's own ``LATENCY``, 8 at most. An update every second cycle, on any symbol.
    """

    VALUES = tuple(VALUES)
    CHOICE_LATENCY = 1 + Pace.LATENCY
    SHOW_CYCLES = LastValues.LATENCY
    SETTLING_CYCLES = 16

    def __init__(self, config: CardConfig):
        self._config = config
        self.symbols = config.symbols
        super().__init__({
            "tops": In(stream.Signature(TopOfBook, always_ready=True)),
            "executions": In(stream.Signature(Execution, always_ready=True)).array(config.venues),
            "settings": In(SignalSettings),
            "restart": In(1),
            **{name: Out(stream.Signature(shape, always_ready=True)) for name, shape in VALUES.items()},
            "ask": In(1),
            "symbol": In(SymbolIndex),
            "shown": Out(SignalValues),
            "lost": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config, settings = self._config, self.settings
        m.submodules.tops_pace = tops = Pace(TopUpdate)
        m.submodules.trades_pace = trades = Pace(Execution)
        m.submodules.sampler = sampler = Sampler(config)
        parts = {
            "ema": Ema(config), "rsi": Rsi(config), "macd": Macd(config), "volatility": Volatility(config),
            "order_flow": OrderFlow(config), "weighted_mid": WeightedMid(), "traded_volume": TradedVolume(config),
        }
        restart, settling = Signal(), Signal(range(self.SETTLING_CYCLES))  # values may be on their way that were made before
        m.d.sync += [restart.eq(self.restart | self.lost), self.lost.eq(tops.lost | trades.lost)]
        with m.If(restart):
            m.d.sync += settling.eq(self.SETTLING_CYCLES - 1)
        with m.Elif(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        self._choose(m, tops, trades)
        for name, part in parts.items():
            m.submodules[f"{name}_signal"] = part
            m.submodules[f"{name}_last"] = last = LastValues(config, VALUES[name])
            for port, source in (("samples", sampler.samples), ("tops", tops.output), ("trades", trades.output)):
                if hasattr(part, port):
                    take(m, source, getattr(part, port))
            values = getattr(self, name)
            take(m, values, last.values)
            m.d.comb += [
                values.valid.eq(part.values.valid & ~restart & (settling == 0)), values.payload.eq(part.values.payload),
                last.restart.eq(restart), last.ask.eq(self.ask), last.symbol.eq(self.symbol),
                self.shown[name].eq(last.shown),
            ]
        take(m, tops.output, sampler.tops)
        take(m, trades.output, sampler.trades)
        m.d.comb += [sampler.source.eq(settings.source), sampler.restart.eq(restart)]
        m.d.comb += [part.restart.eq(restart) for part in parts.values() if hasattr(part, "restart")]
        m.d.comb += [
            *(parts[name].setting.eq(settings[name]) for name in ("ema", "rsi", "volatility")),
            *(getattr(parts["macd"], name).eq(settings[f"macd_{name}"]) for name in ("fast", "slow", "signal")),
            parts["order_flow"].factor.eq(settings.order_flow),
        ]
        return m

    def _choose(self, m, tops, trades):
        """The records of the chosen venue, and whether they can be relied on."""
        top, update, venue = self.tops.payload, tops.input.payload, self.settings.venue
        bid, ask = (top[f"{side}_price"].any() & top[f"{side}_shares"].any() for side in ("bid", "ask"))
        m.d.sync += [
            tops.input.valid.eq(self.tops.valid & top.changed & (top.venue == venue)),
            update.usable.eq(bid & ask & ~top.stale & ~top.halted & ~top.partial & ~top.crossed),
            *(update[name].eq(top[name]) for name in ("symbol", "bid_price", "bid_shares", "ask_price", "ask_shares")),
            trades.input.valid.eq(Array(execution.valid for execution in self.executions)[venue]),
            trades.input.payload.eq(Array(execution.payload for execution in self.executions)[venue]),
        ]


def take(m, source, sink):
    """One of several that listen to a stream which never waits."""
    m.d.comb += [sink.valid.eq(source.valid), sink.payload.eq(source.payload)]
