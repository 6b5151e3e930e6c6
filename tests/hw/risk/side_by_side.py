"""A compiled gateway and its model side by side: each cycle of the one is a cycle of the other, and what they say is compared."""

import random
from collections import Counter, deque
from dataclasses import replace
from functools import cache

from amaranth.hdl import Fragment

from hw.config import TINY
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from sim.bench.venue_answers import Venues
from sim.golden.open_orders import MOVED
from sim.golden.records import BUY, CANCEL_ORDER, SELL, Order
from sim.golden.risk import NO_OWN, POSITION_RANGE, DoorModel, Exposure, Market, RiskModel, TokenBucketModel
from sim.verilated.flat import memories
from sim.verilated.gateway import CompiledGateway
from tests.hw.risk.campaign_draws import MONEY
from tests.hw.risk.gateway_bench import parity

CROWDED = replace(TINY, open_orders=4)
"""So few places that they are taken now and then."""

VENUES, SYMBOLS = CROWDED.venues, CROWDED.symbols

DAY_LEVELS = 50, 75, 85, 90, 95
"""Percent of the day's limit that the card tells of."""

PATIENCE = 2_000
"""Cycles in which nothing moves that are too many."""

LONGEST = 32
"""Cycles after the last transfer after which nothing changes any more by itself."""


NOTHING = Exposure()


@cache
def names_of_memories() -> list[str]:
    return list(memories(Fragment.get(RiskGateway(CROWDED), None)))


class SideBySide:
    """What is set is set in both; :meth:`cycle` raises AssertionError at the first difference.

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
        What else has happened, by name.
    memories : list of str
        Names of the gateway's memories.
    losing : tuple of int
        Number of a memory (from 1 on), row and bit that changes with the next cycle; () for none.
    doubt : bool
        Something has happened that is a fault as soon as it is seen.
    blind : bool
        Nobody knows what the gateway makes of an answer.
    lost : bool
        What the gateway holds is not what the model holds.
    """

    def __init__(self, seed: int, dut: CompiledGateway | None = None):
        self.rng, self.dut, self._moved = random.Random(seed), dut or CompiledGateway(CROWDED), 0
        self.risk = RiskModel(VENUES, SYMBOLS, places=CROWDED.open_orders)
        self.door, self.reasons, self.said, self.now = DoorModel(self.risk, TokenBucketModel()), Counter(), Counter(), 0
        self.venues, self.told, self.memories, self.losing = Venues(self.rng), deque(), names_of_memories(), ()
        self.offered, self.last_symbol, self.numbers, self.halted = None, 0, [1] * VENUES, set()
        self.doubt = self.blind = self.lost = self._early = False
        self._expected, self._due, self._settling, self._on_offer = deque(), None, deque(), None
        self.heartbeat, self.market, self._limits_of = False, Market(), None
        self._ready, self._cancels, self._fast, self._tripped = False, TokenBucketModel(), False, 0
        self._open, self._opening, self._clearing = 0, 0, SYMBOLS
        self.dut.set(next_user_ref=self.numbers, rejected__ready=1)

    # what happens around the gateway

    def offer(self, order: Order) -> None:
        """It stands on offer until it is taken."""
        self.offered, self.last_symbol = (order, self.rng.getrandbits(32)), order.symbol
        self.dut.set(orders__valid=1, orders__payload=as_fields(*self.offered))

    def tell(self, answer) -> None:
        """With this cycle."""
        self.told.append(answer)
        self.dut.set(replies__valid=1, replies__payload=answer._asdict())
        self.cycle()
        self.dut.set(replies__valid=0)

    def limit(self, symbol: int, own) -> None:
        """Limits of a symbol, with the next cycle."""
        self._limits_of = symbol, own
        self.dut.set(symbol_limits__valid=1, symbol_limits__payload={"symbol": symbol, "values": own._asdict()})

    def switch(self, limits, *, armed=True, limits_valid=True, kill=False, reducing=False, broken: int | None = None,
               venues=(), strategies=(), symbols=(), restricted=(), unreachable=()) -> None:
        """Limits and switches from this cycle on; ``broken``: the limit that has lost a bit."""
        risk, dut = self.risk, self.dut
        risk.limits, risk.armed, risk.limits_valid, risk.kill, risk.reducing = limits, armed, limits_valid, kill, reducing
        risk.limits_broken = broken is not None
        dut.set(limits=vars(limits), limits_parity=parity(limits) ^ (0 if broken is None else 1 << broken),
                armed=armed, limits_valid=limits_valid, kill=kill, reducing=reducing)
        masks = {"kill_venues": venues, "kill_strategies": strategies, "kill_symbols": symbols, "restricted": restricted,
                 "unreachable": unreachable}
        masks = {name: sum(1 << number for number in numbers) for name, numbers in masks.items()}
        risk.switch(**masks)
        dut.set(**masks)

    def clear_limits(self) -> None:
        """No symbol has any of its own."""
        for symbol in range(SYMBOLS):
            self.limit(symbol, NO_OWN)
            self.cycle()

    def rearm(self, strategies: int) -> None:
        self.risk.switch(rearm_strategies=strategies)
        self.dut.set(rearm_strategies=strategies)

    def number_from(self, numbers: list[int]) -> None:
        """The next orders leave under these."""
        self.numbers, self.risk.open.next_ref = numbers, [*numbers]
        self.dut.set(next_user_ref=numbers)

    def quieten(self) -> None:
        """Nothing comes but what has come already."""
        self.market, self.heartbeat = Market(), False
        self.rearm(0)
        self.dut.set(replies__valid=0, tops__valid=0, stale=0, restart=0, heartbeat=0)

    def drain(self, longest: int = LONGEST) -> None:
        """Until all has been answered and is settled, and so many cycles more."""
        self.quieten()
        while self.offered or self._expected or self.told or self._settling or not self.door.idle:
            self.cycle()
        for _ in range(longest):
            self.cycle()

    @property
    def busy(self) -> bool:
        return bool(self.offered or self._expected or self.venues.outbox or self.told or self._settling)

    @property
    def answered(self) -> bool:
        """Every order that was taken has left, or has been refused."""
        return self.offered is None and not self._expected

    # the clock

    def cycle(self) -> None:
        dut, risk, rng = self.dut, self.risk, self.rng
        takes_refused = rng.random() < 0.9
        dut.set(passed__ready=self._ready, rejected__ready=takes_refused)
        if self.losing:
            dut.flip(*self.losing)
            self.losing = ()
        else:
            dut.cycle()
        self._watch_fault()
        moved = self.offered is not None and dut.bits("orders__ready")
        decisions = self.door.cycle(self.now, self.offered if moved else None, heartbeat=self.heartbeat, market=self.market)
        passes, refused = dut.bits("passed__valid"), dut.bits("rejected__valid")
        assert not (passes and refused), self.now
        assert dut.bits("accepted") == (passes and self._ready), self.now
        self._watch_offer(passes or refused, (passes and self._ready) or (refused and takes_refused))
        if self._due is not None:  # constant latency: what was decided on in the cycle before is on offer now
            told = RejectReason.NONE if passes else dut.get("rejected__payload").reason if refused else None
            assert told == self._due, (self.now, self._expected[0])
        self._due = decisions[0][1] if decisions else None
        for item, reason in decisions:
            self.reasons[reason] += 1
            self._expected.append((item, reason))
        self._take_over(moved)
        if moved or decisions or dut.bits("applied"):
            self._moved = self.now
        assert self.now - self._moved < PATIENCE or self.offered is None, "the gateway hangs"
        self._settle()
        self._count_cancels(bool(passes and self._ready) and self._expected[0][0][0].kind == CANCEL_ORDER)
        self._answered(passes and self._ready, refused and takes_refused)
        self._number()
        self._ready = rng.random() < 0.8 if not self._ready or passes else True  # once ready, until it has taken one
        risk.halted = self.halted  # it counts as it stood a cycle before
        self.now += 1

    def _watch_fault(self):
        """It may be known that an answer is one before it is applied."""
        fault, risk = bool(self.dut.bits("fault")), self.risk
        if self.doubt or self.blind:
            return
        if fault and not risk.fault and self.told:
            self._early = risk.fault = True
        assert fault == risk.fault, self.now

    def _watch_offer(self, valid, taken):
        """What is on offer stays as it is until it is taken."""
        now = valid and (self.dut.bits("passed__valid"), self.dut.bits("passed__payload"), self.dut.bits("rejected__payload"))
        assert self._on_offer in (None, now), self.now
        self._on_offer = now if valid and not taken else None

    def _take_over(self, moved):
        dut, risk = self.dut, self.risk
        if self._limits_of:
            risk.symbol_limits[self._limits_of[0]], self._limits_of = self._limits_of[1], None
            dut.set(symbol_limits__valid=0)
        if moved:
            self.offered = None
            dut.set(orders__valid=0)

    def _settle(self):
        dut, risk = self.dut, self.risk
        assert dut.bits("expired") == self.silent, self.now
        assert dut.bits("clearing") == (self._clearing > 0), self.now
        self._clearing = max(0, self._clearing - 1)
        if self.blind:
            return
        for name in ("late_reply", "bad_reply", "unknown_cancel"):
            self.said[name] += dut.bits(name)
        if dut.bits("settled"):
            settlement = self._settling.popleft()
            shown = {"strategy": settlement.strategy} if settlement.kind != MOVED else {}
            shown |= {name: getattr(settlement, name) for name in ("kind", "symbol", "side", "shares", "working")}
            told = dut.get("settlement")._asdict()
            assert told | shown == told, (self.now, settlement)
            risk.settle(settlement)
        if dut.bits("applied"):
            settlement = risk.answer(self.told.popleft())
            self._settling.extend([settlement] if settlement else [])
            assert risk.open.lost or not self._early, self.now
            self._early = False
        assert dut.bits("tripped_strategies") == self._tripped, self.now
        assert dut.bits("open_orders") == self._open, self.now
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
            (order, ingress), reason = self._expected.popleft()
            shown = dut.get("passed__payload") if leaves else dut.get("rejected__payload").order
            told = RejectReason.NONE if leaves else dut.get("rejected__payload").reason
            assert (told, shown._asdict()) == (reason, as_fields(order, ingress)), (self.now, order, reason, told, shown)
            if leaves:
                self.venues.take(order, self._leaves(order))

    def _leaves(self, order) -> int:
        count = self.risk.open.count
        number = self.risk.open.sent(order)
        self._opening = self.risk.open.count - count
        if order.kind != CANCEL_ORDER:
            assert number == self.numbers[order.venue], self.now
            self.numbers[order.venue] = (number + 1) % 2**32
            self.dut.set(next_user_ref=self.numbers)
        return number

    def _number(self):
        """Numbers that are left out; and what is open with the next cycle."""
        dut, risk, skip = self.dut, self.risk, self.dut.bits("skip")
        if skip:
            self.numbers = [(number + (skip >> venue & 1)) % 2**32 for venue, number in enumerate(self.numbers)]
            dut.set(next_user_ref=self.numbers)
        risk.open.cycle()
        if dut.bits("clearing") or self.blind:
            risk.open.next_ref = [*self.numbers]  # what was taken before may still be left out
        assert risk.open.next_ref == self.numbers, self.now
        self._open, self._opening = risk.open.count - self._opening, 0  # what leaves is in the table a cycle later

    def clear(self) -> None:
        """Positions are cleared, which takes a cycle a symbol; the card is disarmed. What has been told and not applied is forgotten."""
        risk, dut = self.risk, self.dut
        self.venues, self.told = Venues(self.rng), deque()
        self._settling.clear()
        risk.armed = False
        self.quieten()
        self.rearm(2**16 - 1)
        dut.set(armed=0, clear_positions=1, orders__valid=0)
        self.cycle()
        self.rearm(0)
        assert risk.clear_positions()
        self._open, self._clearing, self._tripped = 0, SYMBOLS, 0
        self.doubt = self.blind = self.lost = self._early = False
        dut.set(clear_positions=0)
        for _ in range(SYMBOLS + 2):
            self.cycle()

    # while nothing moves

    @property
    def silent(self) -> bool:
        """The host has been for too long."""
        risk = self.risk
        return bool(risk.expired and risk.limits_valid and not risk.limits.waived >> RejectReason.DEAD_MAN & 1)

    def compare(self) -> None:
        """All that is shown; nothing is under way."""
        risk, dut = self.risk, self.dut
        for symbol in [*range(SYMBOLS), *self.rng.sample(range(SYMBOLS, 256), 2)]:
            other = (symbol + 1) % SYMBOLS if symbol < SYMBOLS else symbol
            dut.set(query_symbol=symbol, second_symbol=other)
            for _ in range(4):
                self.cycle()
            known = symbol < SYMBOLS
            own = risk.symbol_limits.get(symbol, NO_OWN) if known else NO_OWN
            exposure, second = (risk.exposures[at] if known else NOTHING for at in (symbol, other))
            assert dut.get("shown_limits")._asdict() == own._asdict(), symbol
            assert (dut.get("working_buy"), dut.get("working_sell")) == (exposure.working_buy, exposure.working_sell), symbol
            for name, position in (("position", exposure.position), ("second_position", second.position)):
                assert dut.get(name) == position or position not in POSITION_RANGE, (symbol, name)  # such a one means nothing
        assert dut.bits("day_notional") == risk.day_notional
        self.compare_level()
        assert (dut.get("gross_notional"), dut.get("net_buy"), dut.get("net_sell")) == (min(risk.account.gross, MONEY), *(
            max(-(2**63), min(risk.account.net(side), 2**63 - 1)) for side in (BUY, SELL)))

    def compare_level(self) -> None:
        """Of the day's notional; the limit has been the same for two rounds of the search."""
        limit, used = self.risk.limits.max_day_notional, self.risk.day_notional
        assert self.dut.bits("day_level") == sum(used * 100 >= limit * percent for percent in DAY_LEVELS) * bool(limit), (used, limit)

    def counted(self) -> None:
        """What was told in pulses."""
        counts = self.risk.open.counts
        assert [self.said[name] for name in ("late_reply", "bad_reply", "unknown_cancel")] == [
            counts[name] for name in ("late", "bad", "unknown_cancel")]


def as_fields(order: Order, ingress: int) -> dict:
    return order._asdict() | {"ingress": ingress}
