"""The quoter against the golden formula in a random market whose venue answers: every price, every position, every message in its turn."""

from collections import Counter, deque

from hw.config import TINY
from hw.settings import QuoterParameters
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.golden.quoter import STRATEGY, Parameters, risk, targets
from sim.golden.records import CANCEL_ORDER, NEW, REPLACE_ORDER, Order

VENUE, TIME = 1, 1000
SYMBOLS = TINY.symbols
RECENT = 200
"""Cycles for which a message may wait behind another after it was decided."""


class Venue:
    """Takes what the quoter sends, lets it trade or die at random, and keeps the positions; checks each message as it comes."""

    def __init__(self, tb, parameters, variances):
        self.tb, self.rng, self.parameters, self.variances = tb, tb.rng, parameters, variances
        self.symbols = len(parameters)
        self.positions = [deque([(0, 0)]) for _ in parameters]  # (cycle, position), the last one holds
        self.quotes = {}  # (symbol, side): shares left, number
        self.under_way, self.later, self.tops = set(), [], {}
        self.kinds, self.number, self.asked = Counter(), 0, deque([0, 0, 0], maxlen=3)
        self.sent, self.rejected, self.replies = (tb.source(name, rates=(1.0,)) for name in ("sent", "rejected", "replies"))
        for name in ("orders", "cancels"):
            tb.sink(name, rates=Pattern.EVERYTHING).on_transfer(self.take)

    def sample(self, cycle):
        self.cycle = cycle
        port = self.tb.port("replies")
        if port.is_valid:
            reply = port.codec.unpack(port.bits)
            if reply.kind == 0:
                history = self.positions[reply.symbol]
                history.append((cycle, history[-1][1] + (-reply.shares if reply.side else reply.shares)))
                assert abs(history[-1][1]) <= self.parameters[reply.symbol].max_position, "the position has passed its limit"
        self.asked.append(self.positions[min(self.tb.get("position_symbol"), self.symbols - 1)][-1][1])

    def drive(self):
        self.tb.set(position=self.asked[1], now=(TIME << 16) + self.cycle)
        due = [one for one in self.later if one[0] <= self.cycle]
        self.later = [one for one in self.later if one[0] > self.cycle]
        for _, action, *arguments in due:
            action(*arguments)
        if self.quotes and self.rng.random() < 0.01:
            symbol, side = self.rng.choice(list(self.quotes))
            left = self.quotes[symbol, side][0]
            self.tell(symbol, side, self.rng.choice([left, self.rng.randint(1, left)]), kind=0)

    def tell(self, symbol, side, shares, *, kind):
        if (symbol, side) in self.quotes:
            left, number = self.quotes.pop((symbol, side))
            shares = min(shares, left)
            if shares < left:
                self.quotes[symbol, side] = left - shares, number
            self.replies.send({"kind": kind, "symbol": symbol, "side": side, "shares": shares, "strategy": STRATEGY})

    def take(self, transfer):
        order = Order(*(getattr(transfer.payload, name) for name in Order._fields))
        key = order.symbol, order.side
        assert key not in self.under_way, f"two messages of a side under way: {order}"
        assert order.strategy == STRATEGY
        assert order.venue == VENUE
        self.kinds[order.kind] += 1
        self.under_way.add(key)
        if order.kind == NEW:
            assert key not in self.quotes, f"two quotes on a side: {order}"
        else:
            self.tb.compare([order.reference], [self.quotes.get(key, (0, order.reference))[1]], "number that a message is about")
        if order.kind != CANCEL_ORDER:
            self.check_price(order)
        self.later.append((self.cycle + self.rng.randrange(1, 40), self.answer, order))

    def check_price(self, order):
        mine, (bid, ask) = self.parameters[order.symbol], self.tops[order.trigger_sequence]
        terms = risk(mine, self.variances[order.symbol], mine.end - TIME)
        history = self.positions[order.symbol]
        recent = [position for (_, position), (until, _) in zip(history, [*list(history)[1:], (self.cycle, 0)], strict=True)
                  if until >= self.cycle - RECENT]
        possible = {targets(mine, terms, position, bid, ask)[order.side] for position in recent}
        assert order.price in possible, f"{order}: expected one of {possible}"
        self.tb.transactions += 1

    def answer(self, order):
        key = order.symbol, order.side
        self.under_way.discard(key)
        whole = order._asdict() | {"ingress": 0}
        if order.kind != CANCEL_ORDER and self.rng.random() < 0.08:
            self.rejected.send({"order": whole, "reason": 7})
            return
        self.number += 1
        number = order.reference if order.kind == CANCEL_ORDER else self.number
        self.sent.send({"order": whole, "user_ref": number, "latency": 0})
        if order.kind == NEW:
            self.quotes[key] = order.shares, number
        elif order.kind == REPLACE_ORDER and key in self.quotes:
            self.quotes[key] = self.quotes[key][0], number
        elif order.kind == CANCEL_ORDER:
            self.later.append((self.cycle + 60, lambda: self.tell(*key, 2**32 - 1, kind=1)))


def random_parameters(rng) -> Parameters:
    tick, shares = rng.choice([1, 5, 100]), rng.choice([1, 100, 300])
    return Parameters(
        enable=True, aversion=rng.getrandbits(30), constant=rng.randrange(1 << 12, 8 << 12), end=TIME + rng.randrange(2, 2_000), tick=tick,
        reciprocal=-(-2**31 // tick), shares=shares, max_position=shares * rng.randrange(1, 6), threshold=rng.randrange(3) * tick,
        interval=rng.choice([0, 0, 50]))


@bench_test
async def a_market(tb):
    rng, symbols = tb.rng, SYMBOLS
    parameters, variances = [random_parameters(rng) for _ in range(symbols)], [rng.getrandbits(24) for _ in range(symbols)]
    tb.set(venue=VENUE, enable=1)
    venue = tb.add(Venue(tb, parameters, variances))
    tops = tb.source("tops", rates=(0.05, 0.5))
    assert set(QuoterParameters.as_shape().members) == set(vars(parameters[0]))
    tb.source("parameters").send(*({"symbol": symbol, "values": vars(one)} for symbol, one in enumerate(parameters)))
    tb.source("variances").send(*({"symbol": symbol, "valid": 1, "variance": one} for symbol, one in enumerate(variances)))
    await tb.cycles(60 * symbols)
    middles = [rng.randrange(2_000, 10_000) for _ in range(symbols)]
    for number in range(1, share(4_000) + 1):
        symbol = rng.randrange(symbols)
        tick = parameters[symbol].tick
        middles[symbol] = max(100, middles[symbol] + rng.randrange(-2, 3))
        bid, ask = tick * middles[symbol], tick * (middles[symbol] + rng.randrange(1, 6))
        venue.tops[number] = bid, ask
        doubt = rng.choice(["stale", "halted", "partial"]) if rng.random() < 0.05 else ""
        tops.send({"venue": VENUE if rng.random() < 0.8 else 0, "symbol": symbol, "bid_price": bid, "ask_price": ask, "bid_shares": 1,
                   "ask_shares": 1, "changed": 1, "sequence": number, **({doubt: 1} if doubt else {})})
    await tb.until(lambda: tops.idle, limit=400_000, what="the end of the market")
    tb.set(enable=0)
    await tb.cycles(1_500)
    assert not tb.get("fault")
    assert not venue.quotes, f"quotes are left: {venue.quotes}"
    assert not tb.port("orders").is_valid
    assert min(venue.kinds[kind] for kind in (NEW, REPLACE_ORDER, CANCEL_ORDER)) >= share(100), venue.kinds
