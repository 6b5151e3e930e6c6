"""Random stateful orders, replies, limits, switches and markets on the compiled gateway, each decision compared with the model's."""

import random
from collections import Counter, deque
from dataclasses import replace
from typing import NamedTuple

from host.card.replies import MOVED
from hw.config import TINY
from hw.reasons import RejectReason
from sim.bench.venue_answers import Venues
from sim.golden.account import Account
from sim.golden.open_orders import Answer
from sim.golden.records import BUY, CANCEL_ORDER, NEW, REPLACE_ORDER, SELL, Order
from sim.golden.reference import SymbolLimits, Touch
from sim.golden.risk import MOST_SHARES, NO_OWN, DoorModel, Limits, Market, RiskModel, TokenBucketModel
from sim.verilated.gateway import CompiledGateway
from tests.hw.risk.gateway_bench import WITHOUT_MARKET, as_fields, parity

CROWDED = replace(TINY, open_orders=4)
"""So few places that they are taken now and then."""

VENUES, SYMBOLS = CROWDED.venues, CROWDED.symbols

PATIENCE = 2_000
"""Cycles in which nothing moves that are too many."""

BATCH = 500
"""Orders between two restarts: positions are cleared and set anew, and whatever was open is forgotten by all."""


class Scale(NamedTuple):
    """How many bits longer the numbers of a batch are, so that every bit of a register has its turn."""

    share_bits: int = 0
    price_bits: int = 0

    @classmethod
    def drawn(cls, rng) -> "Scale":
        """Together at most 28, so that the notional of a batch has 64 bits."""
        share_bits = rng.choice([0, rng.randrange(22)])
        return cls(share_bits, rng.choice([0, rng.randrange(min(21, 29 - share_bits))]))


def longer(rng, value: int, bits: int) -> int:
    """The value with so many random bits behind it."""
    return value << bits | rng.getrandbits(bits) if bits else value


class Campaign:
    """A gateway and its model side by side. Each batch begins with other positions and ends when the last answer has been settled.

    Parameters
    ----------
    seed : int
    dut : CompiledGateway or None
        Another one than the gateway as it is.

    Attributes
    ----------
    reasons : Counter of RejectReason
        Of all decisions.
    said : Counter of str
        Late and bad replies, cancels of unknown orders, cancels that were too fast.
    """

    def __init__(self, seed: int, dut: CompiledGateway | None = None):
        self.rng, self.dut, self._moved = random.Random(seed), dut or CompiledGateway(CROWDED), 0
        self.risk = RiskModel(VENUES, SYMBOLS, places=CROWDED.open_orders)
        self.door, self.reasons, self.said, self.now = DoorModel(self.risk, TokenBucketModel()), Counter(), Counter(), 0
        self._expected, self._passing, self._due, self._settling = deque(), deque(), None, deque()
        self._numbers, self._halted = [1] * VENUES, set()
        self._offered, self._heartbeat, self._market, self._limits_of = None, False, Market(), None
        self._ready, self._cancels, self._fast, self._tripped = False, TokenBucketModel(), False, 0
        self.dut.set(next_user_ref=self._numbers, rejected__ready=1)
        self._restart()

    def run(self, orders: int) -> None:
        """Raises AssertionError at the first difference."""
        while orders > 0:
            self._batch(min(orders, BATCH))
            orders -= BATCH

    def _batch(self, orders):
        rng, asked = self.rng, deque(maxlen=2)
        while orders or self._offered or self._expected or self.venues.outbox or self.told or self._settling:
            if rng.random() < 0.02:
                self._change()
            if orders and self._offered is None and rng.random() < 0.7:
                again = asked and rng.random() < 0.12
                self._offer(
                    alike(rng, rng.choice(asked)) if again else self._about_another() if rng.random() < 0.2
                    else random_order(rng, self._scale))
                asked.append(self._offered)
                orders -= 1
            self._hear(quiet=not orders)
            self._cycle()
            if rng.random() < 0.002:
                self._cancel_all()
        self._compare()
        self._restart()

    # what happens around the gateway

    def _change(self):
        """Other limits and switches, from this cycle on."""
        rng, risk, dut = self.rng, self.risk, self.dut
        risk.limits = random_limits(rng, risk.day_notional, risk.account, self._scale)
        risk.killed_venues, risk.killed_strategies, risk.killed_symbols, risk.restricted, risk.unreachable = (
            {number for number in range(size) if rng.random() < 0.03} for size in (VENUES, 16, SYMBOLS, SYMBOLS, VENUES))
        risk.reducing, risk.armed, risk.kill, risk.limits_valid = (rng.random() < odds for odds in (0.1, 0.95, 0.05, 0.97))
        dut.set(
            limits=vars(risk.limits), limits_parity=parity(risk.limits), reducing=risk.reducing, armed=risk.armed, kill=risk.kill,
            limits_valid=risk.limits_valid, **{name: sum(1 << number for number in numbers) for name, numbers in (
                ("kill_venues", risk.killed_venues), ("kill_strategies", risk.killed_strategies),
                ("kill_symbols", risk.killed_symbols), ("restricted", risk.restricted), ("unreachable", risk.unreachable))})
        symbol = rng.randrange(SYMBOLS + 2)
        own = NO_OWN if rng.random() < 0.6 else random_symbol_limits(rng, risk.sold_short[symbol], self._scale)
        self._limits_of = symbol, own
        self._halted = {(venue, symbol) for venue in range(VENUES) for symbol in range(SYMBOLS) if rng.random() < 0.1}
        dut.set(halted=[sum(1 << symbol for at, symbol in self._halted if at == venue) for venue in range(VENUES)],
                symbol_limits__valid=1,
                symbol_limits__payload={"symbol": self._limits_of[0], "values": self._limits_of[1]._asdict()})

    def _offer(self, order):
        self._offered = order
        self.dut.set(orders__valid=1, orders__payload=as_fields(order))

    def _about_another(self) -> Order:
        """A REPLACE or a CANCEL of an order that is open, mostly."""
        rng, scale = self.rng, self._scale
        if not self.risk.open.orders or rng.random() < 0.1:
            return random_order(rng, scale)._replace(kind=REPLACE_ORDER, pair=0, reference=rng.randrange(9))
        (_, reference), other = rng.choice(list(self.risk.open.orders.items()))
        return other.order._replace(
            kind=CANCEL_ORDER if rng.random() < 0.2 else REPLACE_ORDER, reference=reference,
            shares=longer(rng, rng.randrange(1, 120), scale.share_bits), price=longer(rng, rng.randrange(1, 2_000), scale.price_bits),
            pair=rng.random() < 0.02, **{"strategy": 2} if rng.random() < 0.05 else {})

    def _hear(self, *, quiet):
        """Replies, the market, the host."""
        rng, dut = self.rng, self.dut
        reply = self.venues.answer(quiet=quiet) if rng.random() < 0.1 and len(self.told) < 10 else None
        if reply:
            self.told.append(reply)
            dut.set(replies__payload=reply._asdict())
        touch = random_touch(rng, self._scale) if rng.random() < 0.2 else None
        if touch:
            doubt = {rng.choice(["stale", "crossed", "partial"]): 1} if touch.doubtful else {}
            dut.set(tops__payload={name: value for name, value in touch._asdict().items() if name != "doubtful"} | doubt)
        stale, restart = (sum(1 << venue for venue in range(VENUES) if rng.random() < odds) for odds in (0.01, 0.0005))
        self._market = Market(touch, *({venue for venue in range(VENUES) if bits >> venue & 1} for bits in (stale, restart)))
        self._heartbeat = rng.random() < 0.004
        self._rearm(rng.getrandbits(3) if rng.random() < 0.04 else 0)
        dut.set(replies__valid=reply is not None, tops__valid=touch is not None, stale=stale, restart=restart, heartbeat=self._heartbeat)

    def _rearm(self, strategies):
        self.risk.switch(rearm_strategies=strategies)
        self.dut.set(rearm_strategies=strategies)

    # the clock

    def _cycle(self):
        dut, risk, rng = self.dut, self.risk, self.rng
        takes_refused = rng.random() < 0.9
        dut.set(passed__ready=self._ready, rejected__ready=takes_refused)
        dut.cycle()
        moved = self._offered is not None and dut.bits("orders__ready")
        decisions = self.door.cycle(
            self.now, (self._offered, 0) if moved else None, heartbeat=self._heartbeat, market=self._market)
        passes, refused = dut.bits("passed__valid"), dut.bits("rejected__valid")
        assert not (passes and refused), self.now
        if self._due is not None:  # constant latency: what was decided on in the cycle before is on offer now
            told = RejectReason.NONE if passes else dut.get("rejected__payload").reason if refused else None
            assert told == self._due, (self.now, self._expected[0])
        self._due = decisions[0][1] if decisions else None
        for (order, _), reason in decisions:
            self.reasons[reason] += 1
            self._expected.append((order, reason))
        if self._limits_of:
            risk.symbol_limits[self._limits_of[0]], self._limits_of = self._limits_of[1], None
            dut.set(symbol_limits__valid=0)
        assert self.now - self._moved < PATIENCE, "the gateway hangs"
        if moved or decisions or dut.bits("applied"):
            self._moved = self.now
        if moved:
            self._offered = None
            dut.set(orders__valid=0)
        self._settle()
        self._count_cancels(bool(passes and self._ready) and self._expected[0][0].kind == CANCEL_ORDER)
        self._answered(passes and self._ready, refused and takes_refused)
        skip = dut.bits("skip")
        if skip:
            self._numbers = [(number + (skip >> venue & 1)) % 2**32 for venue, number in enumerate(self._numbers)]
            dut.set(next_user_ref=self._numbers)
        risk.open.cycle()
        if dut.bits("clearing"):
            risk.open.next_ref = [*self._numbers]  # what was taken before may still be left out
        assert risk.open.next_ref == self._numbers, self.now
        self._ready = rng.random() < 0.8 if not self._ready or passes else True  # once ready, until it has taken one
        risk.halted = self._halted  # it counts as it stood a cycle before
        self.now += 1

    def _settle(self):
        dut, risk = self.dut, self.risk
        for name in ("late_reply", "bad_reply", "unknown_cancel"):
            self.said[name] += dut.bits(name)
        if dut.bits("settled"):
            risk.settle(self._settling.popleft())
        if dut.bits("applied") and (settlement := risk.answer(self.told.popleft())):
            self._settling.append(settlement)
        assert bool(dut.bits("fault")) == risk.fault, self.now
        assert dut.bits("tripped_strategies") == self._tripped, self.now
        self._tripped = sum(1 << strategy for strategy in risk.executions.tripped)

    def _count_cancels(self, leaves):
        """Those that leave too fast are told, and leave."""
        dut, limits, bucket = self.dut, self.risk.limits, self._cancels
        assert dut.bits("fast_cancels") == self._fast, self.now
        whole, watched = bucket.tokens >= limits.cancel_burst, leaves and limits.cancel_burst
        granted = bucket.cycle(burst=limits.cancel_burst, interval=limits.cancel_interval, request=1 if watched else 0)
        fast = bool(watched and not granted)
        assert dut.bits("fast_cancel") == fast, self.now
        self._fast = fast or (self._fast and not whole)
        self.said["fast_cancel"] += fast

    def _answered(self, leaves, refused):
        """What is taken at one of the outputs is what was expected next, unchanged."""
        dut = self.dut
        if leaves or refused:
            order, reason = self._expected.popleft()
            shown = dut.get("passed__payload") if leaves else dut.get("rejected__payload").order
            told = RejectReason.NONE if leaves else dut.get("rejected__payload").reason
            assert (told, shown._asdict() | as_fields(order)) == (reason, shown._asdict()), (self.now, order, reason, told, shown)
            if leaves:
                self.venues.take(order, self._leaves(order))

    def _leaves(self, order) -> int:
        number = self.risk.open.sent(order)
        if order.kind != CANCEL_ORDER:
            assert number == self._numbers[order.venue], self.now
            self._numbers[order.venue] = (number + 1) % 2**32
            self.dut.set(next_user_ref=self._numbers)
        return number

    # between two batches

    def _compare(self):
        """Exposures, the day, and that what works is what is left of the open orders."""
        risk, dut = self.risk, self.dut
        counts = risk.open.counts
        adds_up = counts["unreserved"] == self._unreserved  # else a venue brought more to work than was reserved, which is a fault
        assert [self.said[name] for name in ("late_reply", "bad_reply", "unknown_cancel")] == [
            counts[name] for name in ("late", "bad", "unknown_cancel")]
        for symbol, exposure in enumerate(risk.exposures):
            other = (symbol + 1) % SYMBOLS
            dut.set(query_symbol=symbol, second_symbol=other)
            for _ in range(8):
                self._cycle()
            assert dut.get("shown_limits")._asdict() == risk.symbol_limits.get(symbol, NO_OWN)._asdict(), symbol
            assert dut.get("second_position") == risk.exposures[other].position, other
            assert tuple(dut.get(name) for name in ("position", "working_buy", "working_sell")) == tuple(vars(exposure).values()), symbol
            for side in (BUY, SELL) if adds_up else ():
                left = [other.left for other in risk.open.orders.values() if (other.order.symbol, other.order.side) == (symbol, side)]
                assert exposure.working(side) == sum(left)
        assert dut.bits("day_notional") == risk.day_notional
        limit = risk.limits.max_day_notional
        assert dut.bits("day_level") == sum(risk.day_notional * 100 >= limit * percent for percent in (50, 75, 85, 90, 95)) * bool(limit)
        assert (dut.get("gross_notional"), dut.get("net_buy"), dut.get("net_sell")) == (risk.account.gross, *(
            risk.account.net(side) for side in (BUY, SELL)))
        assert risk.account.working == tuple(
            sum(shares * order.price for order, shares in risk.open.reserved().values() if order.side == side) for side in (BUY, SELL))
        assert dut.bits("open_orders") == risk.open.count

    def _cancel_all(self):
        """Each open order that the host's switch or a stop concerns is asked for once; its CANCEL goes through the door like any other."""
        risk, dut, rng = self.risk, self.dut, self.rng
        self._market, self._heartbeat = Market(), False
        self._rearm(0)
        dut.set(replies__valid=0, tops__valid=0, stale=0, restart=0, heartbeat=0)
        while self._offered or self._expected or self.told or self._settling or not self.door.idle:
            self._cycle()
        venues, now = rng.getrandbits(VENUES), rng.random() < 0.5
        expired, asked, idle = self._silent, [], 0
        wanted = sorted(key for key, other in risk.open.orders.items() if self._stopped(key[0], other.order, venues, now)
                        and not other.cancelled)
        dut.set(**{"cancel_all" if now else "cancel_on_stop": venues})
        while idle < 100:
            ready = self._offered is None and not self._expected
            dut.set(cancels__ready=ready)
            self._cycle()
            idle += 1
            if ready and dut.bits("cancels__valid"):
                fields = dut.get("cancels__payload")._asdict()
                order = Order(**{name: value for name, value in fields.items() if name in Order._fields})
                idle = asked.append((order.venue, order.reference)) or 0
                assert len(asked) <= len(risk.open.orders), (self.now, asked)
                self._offer(order)
        dut.set(cancel_all=0, cancel_on_stop=0, cancels__ready=0)
        if self._silent == expired:
            assert sorted(asked) == wanted, (self.now, asked, wanted)
            self.said["cancelled"] += len(asked)

    @property
    def _silent(self):
        risk = self.risk
        return risk.expired and risk.limits_valid and not risk.limits.waived >> RejectReason.DEAD_MAN & 1

    def _stopped(self, venue, order, venues, now) -> bool:
        risk = self.risk
        stopped = risk.kill or risk.fault or self._silent or venue in risk.killed_venues or order.symbol in risk.killed_symbols
        stopped |= order.strategy in risk.killed_strategies | risk.executions.tripped
        return bool(venues >> venue & 1 and venue not in risk.unreachable and (now or stopped))

    def _restart(self):
        """Cleared, and positions set by hand: what a host does after a restart."""
        risk, dut, rng = self.risk, self.dut, self.rng
        self.venues, self.told, self._scale = Venues(rng), deque(), Scale.drawn(rng)
        self._unreserved = risk.open.counts["unreserved"]
        risk.armed = False
        dut.set(armed=0, clear_positions=1, orders__valid=0, replies__valid=0, tops__valid=0)
        self._market, self._heartbeat = Market(), False
        self._rearm(2**16 - 1)
        self._cycle()
        self._rearm(0)
        assert risk.clear_positions()
        dut.set(clear_positions=0)
        for _ in range(SYMBOLS + 2):
            self._cycle()
        for symbol in range(SYMBOLS):
            shares = rng.choice([0, rng.randrange(300) << self._scale.share_bits])
            answer = Answer(MOVED, symbol=symbol, side=rng.randrange(2), shares=shares)
            self.told.append(answer)
            dut.set(replies__valid=1, replies__payload=answer._asdict())
            self._cycle()
            dut.set(replies__valid=0)
            for _ in range(12):
                self._cycle()
        self._change()


def alike(rng, order: Order) -> Order:
    """The same, or one that differs in one bit of its price or its shares."""
    if rng.random() < 0.6:
        return order
    name, bits = rng.choice([("price", 31), ("shares", 32)])
    return order._replace(**{name: getattr(order, name) ^ 1 << rng.randrange(bits)})


def random_order(rng, scale: Scale) -> Order:
    """Mostly sound."""
    price = rng.choice([0, 0x80000000, 2**31 - 1]) if rng.random() < 0.03 else longer(rng, rng.randrange(1, 2_000), scale.price_bits)
    return Order(
        rng.random() < 0.95, rng.choice([2, 15]) if rng.random() < 0.02 else rng.randrange(VENUES),
        rng.choice([4, 255]) if rng.random() < 0.02 else rng.randrange(SYMBOLS), rng.randrange(2),
        0 if rng.random() < 0.02 else longer(rng, rng.randrange(1, 120), scale.share_bits), price, pair=rng.random() < 0.3,
        day=rng.random() < 0.3, kind=CANCEL_ORDER if rng.random() < 0.1 else NEW)


def random_limits(rng, day_notional: int, account: Account, scale: Scale) -> Limits:
    """Tight, each by itself and now and then."""
    shares, price = scale
    return Limits(
        longer(rng, rng.randrange(80, 130), shares), longer(rng, rng.randrange(100_000, 220_000), shares + price),
        longer(rng, rng.randrange(200, 800), shares), rng.randrange(1, 6), seldom_huge(rng, rng.randrange(1, 12)),
        max_day_notional=day_notional + longer(rng, rng.randrange(500_000), shares + price),
        duplicate_window=seldom_huge(rng, rng.choice([0, 1, 5, 60, 200])), heartbeat_interval=seldom_huge(rng, 1),
        max_open_orders=rng.choice([3, 5, 65_535]), max_distance=longer(rng, rng.choice([600, 900, 2_000]), price),
        strategy_interval=rng.choice([0, 0, 5, 20]), strategy_window=rng.choice([0, 30, 100]),
        symbol_interval=rng.choice([0, 0, 20, 50]), symbol_window=rng.choice([0, 30, 100]),
        max_gross=account.gross + longer(rng, rng.randrange(900_000), shares + price) if rng.random() < 0.3 else 2**64 - 1,
        max_net=max(0, account.net(rng.randrange(2))) + longer(rng, rng.randrange(400_000), shares + price),
        max_executions=rng.choice([0, 0, 0, 1, 4]), execution_window=seldom_huge(rng, rng.choice([0, 100, 500])),
        cancel_burst=rng.choice([0, 1, 3]), cancel_interval=rng.choice([0, 1, 30, 100]),
        max_deviation=rng.choice([20_000, 40_000, 65_535]), waived=rng.choice([0, WITHOUT_MARKET, WITHOUT_MARKET, rng.getrandbits(31)]))


def random_symbol_limits(rng, sold_short: int, scale: Scale) -> SymbolLimits:
    """One or two of them tight."""
    shares, price = scale
    tight = {
        "max_shares": longer(rng, rng.randrange(200), shares), "max_notional": longer(rng, rng.randrange(200_000), shares + price),
        "max_long": longer(rng, rng.randrange(500), shares), "max_short": longer(rng, rng.randrange(500), shares),
        "locates": min(sold_short + longer(rng, rng.randrange(200), shares), MOST_SHARES),
        "min_price": longer(rng, rng.randrange(1_500), price), "max_price": longer(rng, rng.randrange(500, 2_000), price), "uptick_only": 1}
    names = {*rng.sample(sorted(tight), rng.randrange(1, 3)), *rng.sample(["locates", "uptick_only", "max_price"], rng.randrange(2))}
    return NO_OWN._replace(**{name: tight[name] for name in names})


def seldom_huge(rng, value: int) -> int:
    """A number of cycles, or one of 32 bits that never come to an end."""
    return rng.getrandbits(32) if rng.random() < 0.02 else value


def random_touch(rng, scale: Scale) -> Touch:
    mid = longer(rng, rng.randrange(600, 1_400), scale.price_bits)
    touch = Touch(rng.randrange(VENUES), rng.randrange(SYMBOLS), mid - rng.randrange(20), mid + rng.randrange(20),
                  doubtful=rng.random() < 0.02)
    return touch._replace(**{rng.choice(["bid_price", "ask_price"]): 0}) if rng.random() < 0.03 else touch
