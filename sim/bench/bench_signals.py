"""The signals of all symbols against their golden models: each update of each signal, in bursts and at the full rate, on one symbol too."""

from collections import Counter

from hw.types import SignalSource
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.golden.signals import FRACTION, Settings, SymbolSignals, Top, smoothing

FIELDS = {
    "ema": ("value",), "rsi": ("value",), "macd": ("macd", "signal"), "volatility": ("variance",),
    "order_flow": ("change", "total"), "weighted_mid": ("value",), "traded_volume": ("bought", "sold"),
}
VENUE = 1
"""Whose book is looked at; what the other venues tell must change nothing."""


class Bursts(Pattern):
    """As a book gives its records: one in two cycles in the long run, and four that have waited at once."""

    def __init__(self, rng, rates):
        super().__init__(rng, rates)
        self._credit = 0.0

    def __call__(self):
        self._credit = min(4.0, self._credit + 0.5)
        if self._credit < 1 or not super().__call__():
            return False
        self._credit -= 1
        return True


def random_settings(rng) -> Settings:
    def period():
        return rng.choice([2, 3, rng.randint(2, 14)])

    fast = period()
    return Settings(smoothing(period()), smoothing(period(), wilder=True), smoothing(fast), smoothing(fast + rng.randint(1, 14)),
                    smoothing(period()), smoothing(period()), rng.randint(1, (1 << FRACTION) - 1))


class Market:
    """Random tops and executions of four symbols."""

    def __init__(self, rng, symbols):
        self.rng, self.mids = rng, {symbol: rng.choice([30_000, 1_000_000, 2**31]) for symbol in rng.sample(range(symbols), 4)}
        self._symbol = next(iter(self.mids))

    def _step(self):
        rng = self.rng
        if rng.random() < 0.3:
            self._symbol = rng.choice(list(self.mids))
        moved = self.mids[self._symbol] + rng.choice([0, 1, -1, 100, -100, rng.randint(-300, 300)])
        self.mids[self._symbol] = min(max(moved, 20), 2**32 - 20) if rng.random() > 0.002 else rng.randint(20, 2**32 - 20)
        return self._symbol, self.mids[self._symbol]

    def _shares(self):
        return self.rng.choice([1, self.rng.randint(1, 1_000), 2**32 - 1])

    def top(self) -> dict:
        rng = self.rng
        symbol, mid = self._step()
        bid, ask = mid - rng.randint(0, 9), mid + rng.randint(0, 9)
        record = {"venue": VENUE, "symbol": symbol, "changed": 1, "bid_price": bid, "ask_price": ask,
                  "bid_shares": self._shares(), "ask_shares": self._shares(),
                  **{name: rng.random() < 0.01 for name in ("stale", "halted", "partial", "crossed")}}
        if rng.random() < 0.05:
            record |= rng.choice([{"venue": 0}, {"venue": 2}, {"changed": 0}, {"bid_price": 0, "bid_shares": 0}, {"ask_price": 0},
                                  {"ask_shares": 0}])
        return record

    def execution(self) -> dict:
        symbol, price = self._step()
        return {"symbol": symbol, "side": self.rng.getrandbits(1), "shares": self._shares(), "price": price,
                "usable": self.rng.random() < 0.95}


def expected(settings, source, tops, trades):
    """What each signal has to tell, in order."""
    models, told = {}, {name: [] for name in FIELDS}

    def tell(symbol, values):
        for name, value in values.items():
            told[name].append((symbol, *(value if isinstance(value, tuple) else (value,))) if value is not None else (symbol, None))

    def of(symbol):
        return models.setdefault(symbol, SymbolSignals(settings))

    for record in tops:
        if record["venue"] != VENUE or not record["changed"]:
            continue
        bad = record["stale"] or record["halted"] or record["partial"] or record["crossed"]
        top = Top(*(record[name] for name in Top._fields))
        top = None if bad or 0 in top else top
        tell(record["symbol"], of(record["symbol"]).top(top))
        if source is SignalSource.TOPS:
            tell(record["symbol"], of(record["symbol"]).price(top and top.mid))
    for trade in trades:
        signals = of(trade["symbol"])
        tell(trade["symbol"], signals.trade(trade["shares"], resting_sell=bool(trade["side"]), usable=trade["usable"]))
        if source is SignalSource.TRADES:
            tell(trade["symbol"], signals.price(2 * trade["price"] if trade["usable"] else None))
    return told


async def look(tb, symbol) -> dict:
    """The last values of a symbol, as the host sees them; without those that are not valid."""
    tb.set(ask=1, symbol=symbol)
    await tb.cycles(1)
    tb.set(ask=0)
    await tb.cycles(tb.component.SHOW_CYCLES)
    shown = tb.get("shown")
    return {name: tuple(getattr(getattr(shown, name), field) for field in fields)
            for name, fields in FIELDS.items() if getattr(shown, name).valid}


async def run(tb, *, records, phases, rates):
    """Phases with other settings and the source in turn; returns the monitors, and what was sent (as transfers) in the last phase."""
    symbols = tb.component.symbols
    tops, other = tb.source("tops"), tb.source("executions__0")
    trades = tb.source(f"executions__{VENUE}")
    for source in (tops, trades, other):
        source._now = Bursts(tb.rng, rates)
    monitors = {name: tb.monitor(name) for name in FIELDS}
    valid = Counter()
    for phase in range(phases):
        source = (SignalSource.TOPS, SignalSource.TRADES)[phase % 2]
        settings = random_settings(tb.rng)
        tb.set(settings={"source": source.value, "venue": VENUE, **{
            name: value._asdict() if name != "order_flow" else value for name, value in settings._asdict().items()}}, restart=1)
        await tb.cycles(1)
        tb.set(restart=0)
        assert not any([await look(tb, symbol) for symbol in range(0, symbols, 9)]), "a value from before the restart"
        start = {name: len(monitor.received) for name, monitor in monitors.items()}
        market = Market(tb.rng, symbols)
        sent = [market.top() for _ in range(records)], [market.execution() for _ in range(records // 2)]
        first = len(tops.sent), len(trades.sent)
        tops.send(*sent[0])
        trades.send(*sent[1])
        other.send(*(market.execution() for _ in range(records // 4)))
        await tb.until(lambda: tops.idle and trades.idle and other.idle, limit=40 * records + 1_000, what="the end of the records")
        await tb.cycles(30)
        told = expected(settings, source, *sent)
        for symbol in market.mids:
            last = {name: value[1:] for name, values in told.items() for value in values if value[0] == symbol}
            tb.compare([await look(tb, symbol)], [{name: value for name, value in last.items() if value[0] is not None}], "look")
        for name, model in told.items():
            got = [(one.symbol, *((getattr(one, field) for field in FIELDS[name]) if one.valid else (None,)))
                   for one in (transfer.payload for transfer in monitors[name].received[start[name]:])]
            tb.compare(got, model, name)
            valid[name] += sum(value[1] is not None for value in model)
    assert not tb.get("lost")
    assert min(valid.values()) > phases * records // 10, valid
    return monitors, tops.sent[first[0]:], trades.sent[first[1]:]


@bench_test
async def bursts_and_pauses(tb):
    await run(tb, records=share(3_000), phases=4, rates=Pattern.EVERYTHING)


@bench_test
async def an_update_every_second_cycle(tb):
    await run(tb, records=share(4_000), phases=2, rates=Pattern.DENSE)


@bench_test
async def latency(tb):
    """Far apart: from the record to the value, for each signal."""
    monitors, tops, trades = await run(tb, records=share(1_000), phases=1, rates=(0.03,))
    choice = tb.component.CHOICE_LATENCY
    counted = [one.cycle for one in tops if one.payload["venue"] == VENUE and one.payload["changed"]]
    apart = [cycle for last, cycle in zip([-99, *counted], counted, strict=False) if cycle - last > 10]
    assert len(apart) > len(counted) // 2
    for name, cycles in {"ema": 6, "rsi": 10, "macd": 10, "volatility": 10, "order_flow": 8, "weighted_mid": 8}.items():
        seen = {transfer.cycle for transfer in monitors[name].received}
        tb.compare([cycle + choice + cycles in seen for cycle in apart], [True] * len(apart), f"latency of {name}")
    seen = {transfer.cycle for transfer in monitors["traded_volume"].received}
    apart = [one.cycle for last, one in zip(trades, trades[1:], strict=False) if one.cycle - last.cycle > 10]
    tb.compare([cycle + choice + 2 in seen for cycle in apart], [True] * len(apart), "latency of traded_volume")
