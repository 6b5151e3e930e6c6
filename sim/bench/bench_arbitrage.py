"""The arbitrage detector against its rule: every record, every signal in its cycle, every opportunity missed."""

from collections import Counter, deque

from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.golden.arbitrage import ArbitrageModel, Limits, Venue
from sim.golden.records import Order, TopOfBook

EVER = (1 << 48) - 1


class DetectorModel:
    """The golden model with the clock of the device: a record is judged in the cycle in which its orders can be on offer first."""

    def __init__(self, tb):
        self.tb, self.now = tb, 0
        self.model = ArbitrageModel(venues=len(tb.component.clear), symbols=len(tb.component.enable))
        self.orders, self.signals, self.missed, self.implausible = [], [], [], []
        self.seen = {"missed": [], "implausible": []}
        self._judging, self._on_offer = deque(), 0
        self._tops, self._orders = tb.port("tops"), tb.port("orders")
        self.limits = tb.source("limits")

    def sample(self, cycle):
        latency = self.tb.component.LATENCY
        if self._judging and self._judging[0][0] == cycle:
            _, record, now = self._judging.popleft()
            top = TopOfBook(*(getattr(record, name) for name in TopOfBook._fields))
            outcome = self.model.update(
                record.venue, record.symbol, top, stale=bool(record.stale or record.halted or record.partial or record.crossed),
                changed=bool(record.changed), sequence=record.sequence, cycle=cycle, waiting=self._on_offer > 0, time=now)
            self.orders += [(order, record.ingress) for order in outcome.orders]
            self._on_offer += len(outcome.orders)
            if outcome.signal:
                self.signals.append((cycle, outcome.signal._asdict() | {"symbol": record.symbol, "time": now}))
            self.missed += [cycle] if outcome.missed else []
            self.implausible += [cycle - latency + 4] if outcome.implausible else []
        self._on_offer -= self._orders.is_valid and self._orders.is_ready
        for name, cycles in self.seen.items():
            if self.tb.get(name):
                cycles.append(cycle)
        if self._tops.is_valid:
            assert self._tops.is_ready, "a record had to wait"
            self._judging.append((cycle + latency, self._tops.codec.unpack(self._tops.bits), self.now))

    def drive(self):
        self.now += 3  # quotes grow old in no time
        self.tb.set(now=self.now)


class Market:
    """Random tops of books that cross each other often, and at times themselves."""

    def __init__(self, rng, venues, symbols):
        self.rng, self.venues, self.symbols, self.last = rng, venues, symbols, {}

    def record(self) -> dict:
        rng = self.rng
        venue, symbol = rng.randrange(self.venues), rng.randrange(self.symbols)
        doubts = {name: rng.random() < 0.03 for name in ("stale", "halted", "partial", "crossed")}
        record = {"venue": venue, "symbol": symbol, "changed": 1, **doubts}
        if rng.random() < 0.03:
            record |= rng.choice([{"venue": 15}, {"symbol": 255}, {"changed": 0}])
        bid = rng.randint(990, 1_010)
        ask = bid + rng.choice([-1, 0, 1, 2, 3, 5, 8])
        if rng.random() < 0.02:
            bid, ask = rng.choice([(2**32 - 1, 1), (1, 2**32 - 1), (2**31, 2**31), (rng.getrandbits(32), rng.getrandbits(32))])
        record |= {"bid_price": bid, "ask_price": ask, "bid_shares": self._shares(), "ask_shares": self._shares()}
        if rng.random() < 0.1:
            record |= rng.choice([{"bid_price": 0, "bid_shares": 0}, {"ask_price": 0, "ask_shares": 0}, {"bid_shares": 0}])
        return record | {"sequence": rng.getrandbits(64), "timestamp": rng.getrandbits(48), "ingress": rng.getrandbits(32),
                         "bid_orders": rng.getrandbits(16), "ask_orders": rng.getrandbits(16)}

    def _shares(self):
        return self.rng.choice([1, self.rng.randint(1, 500), 2**32 - 1])


def random_limits(rng) -> Limits:
    return Limits(
        min_profit=rng.choice([0, 1, 2, 5, 2**32 - 1 if rng.random() < 0.1 else 3]), min_shares=rng.choice([0, 0, 1, 20]),
        max_shares=rng.choice([0 if rng.random() < 0.2 else 50, 100, 2**18 - 1]))


def random_terms(rng) -> Venue:
    return Venue(enable=rng.random() < 0.9, direct=rng.random() < 0.05, share_fee=rng.randint(-600, 600),
                 fee_rate=rng.randint(-9_000, 9_000), max_age=rng.choice([EVER, EVER, 30, 300]))


async def set_up(tb, model, limits, *, cooldown, terms, enabled, stale, cleared=()):
    """Changes everything that the host may change, between two records."""
    rule = model.model
    rule.limits, rule.cooldown, rule.terms, rule.enabled, rule.stale_venues = limits, cooldown, terms, enabled, stale
    tb.set(cooldown=cooldown, enable=sum(1 << s for s in enabled), venue_stale=sum(1 << v for v in stale),
           clear=sum(1 << v for v in cleared), terms=[vars(of) for of in terms])
    for venue in cleared:
        rule.forget(venue)
    await tb.cycles(1)
    tb.set(clear=0)
    model.limits.send(*({"symbol": symbol, "values": vars(of)} for symbol, of in limits.items()))
    await tb.until(lambda: model.limits.idle, what="the commit of the limits")
    await tb.cycles(rule.symbols + 6)


async def trade(tb, *, records, phases, tops_rates, orders_rates):
    model = tb.add(DetectorModel(tb))
    source, orders, signals = tb.source("tops", rates=tops_rates), tb.sink("orders", rates=orders_rates), tb.monitor("signal")
    rng, rule = tb.rng, model.model
    market = Market(rng, rule.venues, rule.symbols)
    venues, symbols = range(rule.venues), range(rule.symbols)
    await tb.cycles(rule.symbols + 6)
    for _ in range(phases):
        await set_up(
            tb, model, {s: random_limits(rng) for s in symbols}, cooldown=rng.choice([0, 0, 1, 5, 40]),
            terms=[random_terms(rng) for _ in venues],
            enabled={s for s in symbols if rng.random() < 0.9}, stale={v for v in venues if rng.random() < 0.1},
            cleared=[v for v in venues if rng.random() < 0.2])
        source.send(*(market.record() for _ in range(records // phases)))
        await tb.until(lambda: source.idle, limit=100_000, what="the end of the records")
        await tb.cycles(60)  # every cooldown is over: one that runs is not measured again when the setting changes
    await tb.drain()
    got = [(Order(*(getattr(one, name) for name in Order._fields)), one.ingress) for one in orders.payloads]
    tb.compare(got, model.orders, "order")
    tb.compare([(transfer.cycle - 1, transfer.payload._asdict()) for transfer in signals.received], model.signals, "signal")
    tb.compare(model.seen["missed"], model.missed, "cycle of a missed opportunity")
    tb.compare(model.seen["implausible"], model.implausible, "cycle of a profit that can't be")
    tb.transactions += len(source.sent)
    return model, orders


@bench_test
async def records_with_pauses(tb):
    model, _ = await trade(tb, records=share(12_000), phases=20, tops_rates=Pattern.EVERYTHING, orders_rates=Pattern.EVERYTHING)
    assert len(model.signals) > share(300)
    assert len(model.missed) > share(30)


@bench_test
async def a_record_in_every_cycle(tb):
    model, _ = await trade(tb, records=share(20_000), phases=10, tops_rates=Pattern.DENSE, orders_rates=(1.0, 0.5))
    assert len(model.signals) > share(300)


@bench_test
async def latency(tb):
    """From the record to the first order on offer, the same for every venue and way."""
    model, orders = await trade(tb, records=share(3_000), phases=10, tops_rates=(0.2,), orders_rates=Pattern.DENSE)
    first = [transfer.cycle for transfer in orders.received][::2]
    tb.compare(first, [cycle for cycle, _ in model.signals], "first cycle of an order")
    assert Counter(second.cycle - one.cycle for one, second in zip(orders.received[::2], orders.received[1::2], strict=True)).keys() == {1}
