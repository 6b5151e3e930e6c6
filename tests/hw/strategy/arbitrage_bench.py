"""What the tests of the arbitrage detector drive it with."""

from dataclasses import replace

from hw.config import TINY
from hw.strategy.arbitrage import Arbitrage
from sim.golden.arbitrage import Limits, Venue
from sim.golden.records import Order, TopOfBook
from tests.hw.bench import made, simulate

LIMITS = Limits(min_profit=100, min_shares=0, max_shares=500)
EVER = (1 << 48) - 1
OPEN = Venue(enable=True, max_age=EVER)
THREE, FOUR = (replace(TINY, venues=venues) for venues in (3, 4))
WIDE = replace(TINY, price_bits=48)


def quote(bid=0, ask=0, bid_shares=300, ask_shares=200):
    return TopOfBook(bid, bid_shares if bid else 0, 1, ask, ask_shares if ask else 0, 1)


class Bench:
    """Feeds records one a cycle, takes the orders, and remembers when each was first on offer, and when it was taken.

    Signals stand under the cycle of their decision, and so do those that lead to no orders (``unsent``). If ``watches`` is set, the edges
    of the last cycle are ``last_edges``.
    """

    def __init__(self, config=TINY, *, watches=False):
        self.dut, self.config, self.watches, self.last_edges = made(Arbitrage, config), config, watches, ()
        self.cycle = self.now = 0
        self.orders, self.signals, self.unsent, self.missed, self.implausible, self.offers = [], [], [], [], [], []

    async def start(self, ctx, limits=LIMITS, enabled=-1, terms=OPEN, cooldown=0):
        dut = self.dut
        self.ctx = ctx
        self.set_terms(*[terms] * self.config.venues)
        for name, value in (("enable", enabled & ((1 << len(dut.enable)) - 1)), ("cooldown", cooldown), ("venue_stale", 0), ("clear", 0)):
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.orders.ready, 1)
        for symbol in range(self.config.symbols):
            await self.limit(symbol, limits)
        await self.idle(16)

    def set_terms(self, *terms):
        for venue, of in enumerate(terms):
            self.ctx.set(self.dut.terms[venue], vars(of))

    async def limit(self, symbol, limits):
        self.ctx.set(self.dut.limits.payload, {"symbol": symbol, "values": vars(limits)})
        self.ctx.set(self.dut.limits.valid, 1)
        await self.step()
        self.ctx.set(self.dut.limits.valid, 0)

    async def step(self):
        ctx, dut = self.ctx, self.dut
        assert ctx.get(dut.tops.ready)
        if ctx.get(dut.orders.valid):
            record = dut.orders.payload
            values = (ctx.get(record[name]) for name in Order._fields)
            order = Order(*(getattr(value, "value", value) for value in values))
            self.offers.append((self.cycle, order))
            if ctx.get(dut.orders.ready):
                self.orders.append((self.cycle, order, ctx.get(record.ingress)))
        if ctx.get(dut.signal.valid):
            signal = dut.signal.payload
            self.signals.append((self.cycle - 1, {name: ctx.get(signal[name]) for name in signal.shape().members}))
        self.unsent += [self.cycle - 1] * ctx.get(dut.unsent)
        self.missed += [self.cycle] * ctx.get(dut.missed)
        self.implausible += [self.cycle] * ctx.get(dut.implausible)
        if self.watches:
            self.last_edges = [ctx.get(edge) for edge in dut.pairs.edges]
        await ctx.tick()
        self.cycle += 1
        self.now += 1
        ctx.set(dut.now, self.now)

    async def idle(self, cycles):
        self.ctx.set(self.dut.tops.valid, 0)
        for _ in range(cycles):
            await self.step()

    async def send(self, venue, symbol, top, *, stale=False, partial=False, crossed=False, changed=True, sequence=0, ingress=0):
        """Returns the cycle of the transfer."""
        self.ctx.set(self.dut.tops.payload, top._asdict() | {
            "venue": venue, "symbol": symbol, "stale": stale, "partial": partial, "changed": changed, "crossed": crossed,
            "sequence": sequence, "ingress": ingress,
        })
        self.ctx.set(self.dut.tops.valid, 1)
        await self.step()
        self.ctx.set(self.dut.tops.valid, 0)
        return self.cycle - 1

    async def tell(self, venue, symbol, top, time):
        """A quote of the host."""
        prices = {name: getattr(top, name) for name in ("bid_price", "bid_shares", "ask_price", "ask_shares")}
        self.ctx.set(self.dut.quotes.payload, prices | {"venue": venue, "symbol": symbol, "time": time})
        self.ctx.set(self.dut.quotes.valid, 1)
        while not self.ctx.get(self.dut.quotes.ready):
            await self.step()
        await self.step()
        self.ctx.set(self.dut.quotes.valid, 0)
        return self.cycle - 1

    async def send_and_wait(self, *args, **options):
        """The orders that a record leads to."""
        before = len(self.orders)
        await self.send(*args, **options)
        await self.idle(12)
        return [order for _, order, _ in self.orders[before:]]


def run(scenario, config=TINY, **start):
    bench = Bench(config)

    async def testbench(ctx):
        await bench.start(ctx, **start)
        await scenario(bench)

    simulate(bench.dut, testbench)
    return bench
