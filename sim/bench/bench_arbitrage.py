"""The arbitrage detector against its rule: every record, every signal in its cycle, every opportunity missed."""

from collections import Counter

from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.golden.arbitrage import ArbitrageModel, Settings
from sim.golden.records import Order, TopOfBook


class DetectorModel:
    """The golden model with the clock of the device: a record is judged in the cycle before its orders can be on offer."""

    def __init__(self, tb):
        self.tb = tb
        self.model = ArbitrageModel(venues=len(tb.component.clear), symbols=len(tb.component.enable))
        self.orders, self.signals, self.missed, self.seen = [], [], [], {"signals": [], "missed": []}
        self._judging = []
        self._tops, self._orders = tb.port("tops"), tb.port("orders")

    def sample(self, cycle):
        if self._judging and self._judging[0][0] == cycle:
            record = self._judging.pop(0)[1]
            top = TopOfBook(*(getattr(record, name) for name in TopOfBook._fields))
            outcome = self.model.update(
                record.venue, record.symbol, top, stale=bool(record.stale or record.halted or record.partial), changed=bool(record.changed),
                sequence=record.sequence, cycle=cycle, waiting=self._orders.is_valid)
            self.orders += [(order, record.ingress) for order in outcome.orders]
            self.signals += [cycle] if outcome.orders else []
            self.missed += [cycle] if outcome.missed else []
        for name, cycles in self.seen.items():
            if self.tb.get(name):
                cycles.append(cycle)
        if self._tops.is_valid:
            assert self._tops.is_ready, "a record had to wait"
            latency = self.tb.component.LATENCY
            self._judging.append((cycle + latency - 1, self._tops.codec.unpack(self._tops.bits)))


class Market:
    """Random tops of books that cross each other often, and at times themselves."""

    def __init__(self, rng, venues, symbols):
        self.rng, self.venues, self.symbols, self.last = rng, venues, symbols, {}

    def record(self) -> dict:
        rng = self.rng
        venue, symbol = rng.randrange(self.venues), rng.randrange(self.symbols)
        record = {"venue": venue, "symbol": symbol, "changed": 1, **{name: rng.random() < 0.04 for name in ("stale", "halted", "partial")}}
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


def random_settings(rng) -> Settings:
    return Settings(
        min_profit=rng.choice([0, 1, 2, 5, 2**32 - 1 if rng.random() < 0.1 else 3]),
        max_shares=rng.choice([0 if rng.random() < 0.2 else 50, 100, 2**32 - 1]), cooldown=rng.choice([0, 0, 1, 5, 40]))


async def set_up(tb, model, settings, enabled, stale, cleared=()):
    """Changes everything that the host may change, between two records."""
    rule = model.model
    rule.settings, rule.enabled, rule.stale_venues = settings, enabled, stale
    tb.set(settings=vars(settings), enable=sum(1 << s for s in enabled), venue_stale=sum(1 << v for v in stale),
           clear=sum(1 << v for v in cleared))
    for venue in cleared:
        rule.forget(venue)
    await tb.cycles(1)
    tb.set(clear=0)
    await tb.cycles(rule.symbols + 6)


async def trade(tb, *, records, phases, tops_rates, orders_rates):
    model = tb.add(DetectorModel(tb))
    source, orders = tb.source("tops", rates=tops_rates), tb.sink("orders", rates=orders_rates)
    rng, rule = tb.rng, model.model
    market = Market(rng, rule.venues, rule.symbols)
    venues, symbols = range(rule.venues), range(rule.symbols)
    await tb.cycles(rule.symbols + 6)
    for _ in range(phases):
        await set_up(
            tb, model, random_settings(rng), {s for s in symbols if rng.random() < 0.9}, {v for v in venues if rng.random() < 0.1},
            [v for v in venues if rng.random() < 0.2])
        source.send(*(market.record() for _ in range(records // phases)))
        await tb.until(lambda: source.idle, limit=100_000, what="the end of the records")
        await tb.cycles(60)  # every cooldown is over: one that runs is not measured again when the setting changes
    await tb.drain()
    got = [(Order(*(getattr(one, name) for name in Order._fields)), one.ingress) for one in orders.payloads]
    tb.compare(got, model.orders, "order")
    tb.compare(model.seen["signals"], model.signals, "cycle of a signal")
    tb.compare(model.seen["missed"], model.missed, "cycle of a missed opportunity")
    tb.transactions += len(source.sent)
    return model, orders


@bench_test
async def records_with_pauses(tb):
    model, _ = await trade(tb, records=share(12_000), phases=20, tops_rates=Pattern.EVERYTHING, orders_rates=Pattern.EVERYTHING)
    assert len(model.signals) > share(300)
    assert len(model.missed) > share(100)


@bench_test
async def a_record_in_every_cycle(tb):
    model, _ = await trade(tb, records=share(20_000), phases=10, tops_rates=Pattern.DENSE, orders_rates=(1.0, 0.5))
    assert len(model.signals) > share(300)


@bench_test
async def latency(tb):
    """From the record to the first order on offer, the same for every venue and way."""
    model, orders = await trade(tb, records=share(3_000), phases=10, tops_rates=(0.2,), orders_rates=Pattern.DENSE)
    first = [transfer.cycle for transfer in orders.received][::2]
    tb.compare(first, [cycle + 1 for cycle in model.signals], "first cycle of an order")
    assert Counter(second.cycle - one.cycle for one, second in zip(orders.received[::2], orders.received[1::2], strict=True)).keys() == {1}
