"""The gateway against the risk model: every decision, under random limits, switches, replies and back-pressure."""

from collections import Counter, deque
from dataclasses import replace

from host.card.replies import ENDED, NOTED
from hw.config import TINY
from hw.reasons import RejectReason
from sim.bench.testbench import bench_test, share
from sim.bench.venue_answers import Venues
from sim.golden.open_orders import Answer
from sim.golden.records import BUY, Order
from sim.golden.reference import SymbolLimits, Touch
from sim.golden.risk import MASKS, NO_OWN, DoorModel, Limits, Market, RiskModel, TokenBucketModel

WIDE = Limits(max_shares=1_000, max_notional=10_000_000, max_position=50_000, rate_burst=100, rate_interval=1)


class GatewayModel:
    """The golden model with the clock of the device: it decides in the cycle in which the device does."""

    def __init__(self, tb, config=TINY):
        self.tb, self.risk = tb, RiskModel(config.venues, config.symbols, places=config.open_orders)
        self.door = DoorModel(self.risk, TokenBucketModel())
        self.passed, self.rejected, self.replies, self.decided, self.said = [], [], deque(), 0, Counter()
        self._leaving, self._settling, self.on_leaving = deque(), deque(), lambda order, number: None
        tb.set(next_user_ref=tuple(self.risk.open.next_ref))
        self._halted, self._halted_before = set(), set()
        self._orders, self._symbol_limits = tb.port("orders"), tb.port("symbol_limits")

    def set(self, **switches):
        """Limits and switches, to the device and to the model at once; in force from the next cycle on."""
        for name, value in switches.items():
            self.tb.set(**{name: value._asdict() if hasattr(value, "_asdict") else vars(value) if isinstance(value, Limits) else value})
            setattr(self.risk, name, value if name == "limits" else bool(value))
            if name == "limits":
                self.tb.set(limits_parity=sum((limit.bit_count() & 1) << number for number, limit in enumerate(vars(value).values())))

    def switch(self, name, numbers):
        """One of the masks, to the device and to the model."""
        self.tb.set(**{name: sum(1 << number for number in numbers)})
        setattr(self.risk, MASKS[name], numbers)

    def halt(self, symbols):
        """One number a venue, a bit a symbol."""
        self.tb.set(halted=symbols)
        self._halted = {(venue, slot) for venue, bits in enumerate(symbols) for slot in range(TINY.symbols) if bits >> slot & 1}

    def sample(self, cycle):
        self.risk.halted, self._halted_before = self._halted_before, self._halted  # it counts as it stood a cycle before
        moved = self._orders.is_valid and self._orders.is_ready
        asked = plain(self._orders.codec.unpack(self._orders.bits)) if moved else None
        for item, reason in self.door.cycle(cycle, asked, heartbeat=bool(self.tb.get("heartbeat")), market=self._market()):
            self.decided += 1
            if reason is RejectReason.NONE:
                self.passed.append(item)
                self._leaving.append(item[0])
            else:
                self.rejected.append((item, reason))
        if self._symbol_limits.is_valid:
            symbol, limits = self._symbol_limits.codec.unpack(self._symbol_limits.bits)
            self.risk.symbol_limits[symbol] = SymbolLimits(*limits)
        if self.tb.get("settled"):
            self.risk.settle(self._settling.popleft())
        if self.tb.get("applied") and (settlement := self.risk.answer(self.replies.popleft())):
            self._settling.append(settlement)
        self.said.update(name for name in ("late_reply", "bad_reply", "unknown_cancel") if self.tb.get(name))
        if self.tb.get("accepted"):
            order = self._leaving.popleft()
            self.on_leaving(order, self.risk.open.sent(order))
        self.risk.open.cycle()
        self.tb.set(next_user_ref=tuple(self.risk.open.next_ref))

    def _market(self):
        port, touch = self.tb.port("tops"), None
        if port.is_valid:
            top = port.codec.unpack(port.bits)
            touch = Touch(top.venue, top.symbol, top.bid_price, top.ask_price, bool(top.stale or top.crossed or top.partial))
        return Market(touch, *({at for at in range(TINY.venues) if self.tb.get(name) >> at & 1} for name in ("stale", "restart")))

    def clear_positions(self):
        assert self.risk.clear_positions()
        self.replies.clear()
        self._settling.clear()


def plain(order) -> tuple[Order, int]:
    """An order of the device as the golden model has it, and the time that merely travels with it."""
    return Order(*(getattr(order, name) for name in Order._fields)), order.ingress


def as_asked(order: Order) -> dict:
    """What a REPLACE of an order of the golden model must have of it."""
    return {name: getattr(order, name) for name in ("strategy", "side", "venue", "symbol")}


def random_order(rng) -> dict:
    """Mostly sound, with every field at its limits from time to time."""
    odd = rng.random()
    return {
        "kind": rng.choice([1, 3]) if odd > 0.98 else 2 if odd > 0.93 else 0, "pair": rng.random() < 0.3,
        "strategy": rng.random() < 0.9, "day": rng.random() < 0.3,
        "reference": rng.getrandbits(32), "side": rng.randrange(2),
        "trigger_venue": rng.randrange(2), "trigger_sequence": rng.getrandbits(64),
        "venue": rng.randrange(16) if odd < 0.05 else rng.randrange(TINY.venues),
        "symbol": rng.randrange(256) if 0.05 <= odd < 0.1 else rng.randrange(TINY.symbols),
        "shares": rng.choice([0, 1, 999, 1_000, 1_001, 2**32 - 1, rng.getrandbits(32)]) if 0.1 <= odd < 0.2 else rng.randint(1, 1_000),
        "price": rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 2**32 - 1, rng.getrandbits(32)]) if 0.2 <= odd < 0.3 else rng.randint(1, 12_000),
        "ingress": rng.getrandbits(32),
    }


def random_limits(rng) -> Limits:
    return Limits(
        max_shares=rng.choice([0, 500, 1_000, 2**32 - 1]), max_notional=rng.choice([0, 3_000_000, 10_000_000, 2**64 - 1]),
        max_position=rng.choice([0, 2_000, 20_000, 2**32 - 1]), rate_burst=rng.choice([0, 1, 5, 65_535]),
        rate_interval=rng.choice([0, 1, 7, 40]), max_day_notional=rng.choice([0, rng.getrandbits(40), 2**64 - 1]),
        duplicate_window=rng.choice([0, 1, 30, 10_000, 2**32 - 1]), heartbeat_interval=rng.choice([0, 1, 2]),

        max_open_orders=rng.choice([0, 10, 40, 65_535]), max_distance=rng.choice([0, 3_000, 12_000, 2**32 - 1]),
        strategy_interval=rng.choice([0, 0, 9, 2**32 - 1]), strategy_window=rng.choice([0, 50, 2**32 - 1]),
        symbol_interval=rng.choice([0, 0, 30, 2**32 - 1]), symbol_window=rng.choice([0, 50, 2**32 - 1]),
        max_executions=rng.choice([0, 0, 0, 1]), execution_window=rng.choice([0, 500]),
        max_gross=rng.choice([2**64 - 1, rng.getrandbits(36)]), max_net=rng.choice([2**64 - 1, rng.getrandbits(32)]),
        max_deviation=rng.choice([0, 30_000, 65_535]), waived=rng.choice([0, 1 << RejectReason.DEAD_MAN, rng.getrandbits(31)]))


def one_tight(rng) -> Limits:
    return replace(WIDE, **rng.choice([
        {"max_net": rng.getrandbits(28)}, {"max_gross": rng.getrandbits(36)}, {"max_executions": 1}, {"duplicate_window": 10_000}]))


def random_symbol_limits(rng) -> SymbolLimits:
    if rng.random() < 0.5:
        return NO_OWN
    return SymbolLimits(*(rng.choice([most, most, wide, rng.randint(0, wide)]) for most, wide in (
        (2**32 - 1, 1_000), (2**64 - 1, 10_000_000), (2**32 - 1, 20_000), (2**32 - 1, 20_000))),
        rng.choice([*[2**32 - 1] * 5, rng.randint(0, 200_000)]),
        rng.choice([0, 0, 0, rng.randint(0, 5_000)]), rng.choice([2**32 - 1, 2**32 - 1, rng.randint(5_000, 12_000)]),
        rng.choice([0, 0, 1]))


def random_top(rng) -> dict:
    """Mostly sure, around the prices of the orders."""
    bid, flag = rng.randint(1, 12_000), rng.choice(["stale", "crossed", "partial", "halted", "locked", "changed"])
    return {"venue": rng.randrange(TINY.venues), "symbol": rng.randrange(TINY.symbols), "bid_price": bid if rng.random() < 0.95 else 0,
            "ask_price": bid + rng.randint(0, 500) if rng.random() < 0.95 else 0, flag: rng.random() < 0.1}


class Host:
    """Changes limits and switches now and then, and passes on what the venues say."""

    def __init__(self, tb, model, replies, orders, tops, count):
        self.tb, self.model, self.replies, self.orders, self.venues, self.tops = tb, model, replies, orders, Venues(tb.rng), tops
        self.symbol_limits, self.left, self.asked, self.still = tb.source("symbol_limits"), count, [], False
        model.on_leaving = self.venues.take

    def say(self, *, quiet=False):
        if self.replies.waiting < 10 and (answer := self.venues.answer(quiet=quiet)):
            self.replies.send(answer._asdict())
            self.model.replies.append(answer)

    def ask(self):
        """Some order; or a REPLACE or a CANCEL of one that is open."""
        rng, standing = self.tb.rng, list(self.model.risk.open.orders.items())
        order = rng.choice(self.asked) if self.asked and rng.random() < 0.05 else random_order(rng)
        if standing and rng.random() < 0.2:
            (_, reference), other = rng.choice(standing)
            order |= as_asked(other.order) | {"kind": rng.choice([1, 1, 2]), "reference": reference, "pair": rng.random() < 0.02}
        self.asked = [*self.asked[-1:], order]
        self.orders.send(order)

    def drive(self):
        rng = self.tb.rng
        if rng.random() < 0.1:
            self.say(quiet=not self.left)
        if self.still:
            return
        if self.left and self.orders.waiting < 3:
            self.left -= 1
            self.ask()
        if self.left and rng.random() < 0.1 and self.tops.waiting < 3:
            self.tops.send(random_top(rng))
        self.tb.set(heartbeat=rng.random() < 0.002, stale=rng.random() < 0.003 and rng.getrandbits(2),
                    restart=rng.random() < 0.001 and rng.getrandbits(2))
        self.model.switch("rearm_strategies", {number for number in range(2) if rng.random() < 0.01})
        if rng.random() < 0.01:
            name, size = rng.choice([
                ("kill_venues", 2), ("kill_strategies", 2), ("kill_symbols", 4), ("restricted", 4), ("unreachable", 2)])
            self.model.switch(name, {number for number in range(size) if rng.random() < 0.1})
            self.model.set(reducing=rng.random() < 0.1)
        if rng.random() < 0.01:
            self.model.set(limits=rng.choice([WIDE, WIDE, one_tight(rng), random_limits(rng)]))
        if rng.random() < 0.01:
            self.symbol_limits.send({"symbol": rng.randrange(6), "values": random_symbol_limits(rng)._asdict()})
        if rng.random() < 0.01:
            halted = [rng.choice([0, 0, rng.getrandbits(TINY.symbols)]) for _ in range(TINY.venues)]
            self.model.halt(halted)
        if rng.random() < 0.01:
            self.model.set(armed=rng.random() < 0.9, kill=rng.random() < 0.1, limits_valid=rng.random() < 0.95)


@bench_test
async def orders_replies_and_switches_at_random(tb):
    model = tb.add(GatewayModel(tb))
    orders, replies = tb.source("orders"), tb.source("replies", rates=(0.12, 0.02))
    passed, rejected = tb.sink("passed"), tb.sink("rejected")
    host = tb.add(Host(tb, model, replies, orders, tb.source("tops"), share(25_000)))
    model.set(limits=WIDE, limits_valid=1, armed=1)
    await tb.until(lambda: not host.left and not host.venues.outbox and orders.idle and replies.idle, limit=400_000, what="the last answer")
    await tb.drain(limit=400_000)
    assert model.said == {f"{name}_reply": model.risk.open.counts[name] for name in ("late", "bad")} | {
        "unknown_cancel": model.risk.open.counts["unknown_cancel"]}
    assert not tb.get("fault")
    await take_every_place(tb, model, host, orders)
    tb.compare([plain(order) for order in passed.payloads], model.passed, "passed order")
    tb.compare([(plain(item.order), item.reason) for item in rejected.payloads], model.rejected, "rejected order")
    seen = {reason for _, reason in model.rejected}
    missed = set(RejectReason) - seen - {RejectReason.NONE}
    assert not missed or share(100) < 100, f"reasons never seen: {missed}"
    await compare_exposures(tb, model)


async def take_every_place(tb, model, host, orders):
    """At random answers come as fast as orders leave, and own orders stand in the way of others, before the places run out."""
    host.still = True
    model.set(limits=replace(WIDE, max_position=2**32 - 1), limits_valid=1, armed=1, kill=0, reducing=0)
    for name in MASKS:
        model.switch(name, {0, 1} if name == "rearm_strategies" else set())
    model.halt([0] * TINY.venues)
    tb.set(heartbeat=0, stale=0, restart=0)
    host.symbol_limits.send(*({"symbol": symbol, "values": NO_OWN._asdict()} for symbol in range(TINY.symbols)))
    await tb.cycles(200)
    orders.send(*({"shares": 1, "price": 1, "side": BUY, "symbol": number % TINY.symbols} for number in range(2 * TINY.open_orders)))
    await tb.drain(limit=400_000)
    assert any(reason is RejectReason.NO_PLACE for _, reason in model.rejected)


async def compare_exposures(tb, model):
    for symbol, exposure in enumerate(model.risk.exposures):
        tb.set(query_symbol=symbol)
        await tb.cycles(4)
        got = tb.get("position"), tb.get("working_buy"), tb.get("working_sell")
        tb.compare([got], [(exposure.position, exposure.working_buy, exposure.working_sell)], f"exposure of symbol {symbol}")


@bench_test
async def latency_and_rate(tb):
    """Four cycles in and out, whatever the answer; one order in five cycles."""
    model = tb.add(GatewayModel(tb))
    orders, passed, rejected = tb.source("orders", rates=(1.0,)), tb.sink("passed", rates=(1.0,)), tb.sink("rejected", rates=(1.0,))
    model.set(limits=Limits(1_000, 2**63, 2**31, 1_000, 1), limits_valid=1, armed=1)
    await tb.until(lambda: not tb.get("clearing"), what="the walk over the exposures")
    await tb.cycles(200)
    items = [{"shares": tb.rng.choice([0, 5]), "price": 1, "symbol": tb.rng.randrange(4)} for _ in range(100)]
    orders.send(*items)
    await tb.drain()
    answers = sorted(transfer.cycle for transfer in passed.received + rejected.received)
    latency = tb.component.LATENCY
    tb.compare([answer - taken.cycle for answer, taken in zip(answers, orders.sent, strict=True)], [latency] * 100, "latency")
    tb.compare([b.cycle - a.cycle for a, b in zip(orders.sent, orders.sent[1:], strict=False)], [5] * 99, "cycles between orders")


@bench_test
async def nothing_is_offered_after_the_kill_switch(tb):
    """The switch falls at any moment of an order; what was not on offer by then never is."""
    model = tb.add(GatewayModel(tb))
    orders, passed, _ = tb.source("orders", rates=(1.0,)), tb.sink("passed", rates=(1.0,)), tb.sink("rejected")
    replies = tb.source("replies")

    def end(order, user_ref):
        model.replies.append(Answer(ENDED, order.venue, user_ref, user_ref))
        replies.send(model.replies[-1]._asdict())

    model.on_leaving = end
    model.set(limits=WIDE, limits_valid=1, armed=1)
    for _ in range(share(60)):
        orders.send(*({"shares": 1, "price": 1, "side": BUY, "symbol": 1} for _ in range(20)))
        await tb.cycles(tb.rng.randint(8, 40))
        model.set(kill=1)
        before, on_offer = len(passed.received), tb.port("passed").is_valid
        await tb.cycles(1)
        before = max(before, len(passed.received))
        await tb.cycles(30)
        assert len(passed.received) - before <= 1, f"orders passed after the kill switch, {on_offer=}"
        await tb.until(lambda: orders.idle, what="the rest of the orders")
        await tb.cycles(10)
        model.set(kill=0)
        tb.transactions += 1
    tb.compare([plain(order) for order in passed.payloads], model.passed, "passed order")


@bench_test
async def lost_replies_halt_until_cleared(tb):
    """More replies than find room: exposures are unknown from then on, and only clearing them while disarmed helps."""
    model = tb.add(GatewayModel(tb))
    orders, replies = tb.source("orders", rates=(1.0,)), tb.source("replies", rates=(1.0,))
    passed, rejected = tb.sink("passed", rates=(1.0,)), tb.sink("rejected", rates=(1.0,))
    model.set(limits=WIDE, limits_valid=1, armed=1)
    await tb.cycles(150)
    replies.send(*({"kind": NOTED, "venue": 1, "number": number} for number in range(200)))
    model.replies.extend(Answer(NOTED, 1, 0, number) for number in range(200))
    await tb.until(lambda: tb.get("fault"), what="the fault of a lost reply")
    await tb.drain()
    model.risk.fault = True
    orders.send({"shares": 1, "price": 1}, {"shares": 0})
    await tb.drain()
    tb.set(clear_positions=1)  # armed: not acted on
    await tb.cycles(1)
    tb.set(clear_positions=0)
    await tb.cycles(20)
    assert tb.get("fault")
    model.set(armed=0)
    tb.set(clear_positions=1)
    await tb.cycles(1)
    tb.set(clear_positions=0)
    model.clear_positions()
    model.set(armed=1)
    await tb.cycles(20)
    orders.send({"shares": 1, "price": 1})
    await tb.drain()
    tb.compare([plain(order) for order in passed.payloads], model.passed, "passed order")
    tb.compare([(plain(item.order), item.reason) for item in rejected.payloads], model.rejected, "rejected order")
    assert [reason for _, reason in model.rejected] == [RejectReason.HALTED] * 2
    assert len(model.passed) == 1
