"""Drives a gateway order by order."""

from dataclasses import replace

from host.card.replies import MOVED
from hw.config import TINY
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from hw.types import OrderKind
from sim.golden.records import BUY, CANCEL_ORDER, Order
from sim.golden.risk import NO_OWN, Limits
from tests.hw.bench import simulate

FEW = replace(TINY, open_orders=16)
LIMITS = Limits(max_shares=1_000, max_notional=500_000_000, max_position=2_000, rate_burst=1_000, rate_interval=1)

WITHOUT_MARKET = LIMITS.waived & ~(1 << RejectReason.DEAD_MAN)
"""Of ``waived``: no order is held against a book."""


def order(*, venue=0, symbol=0, side=BUY, shares=100, price=1_000_000, strategy=1, **more):
    return Order(strategy, venue, symbol, side, shares, price, **more)


def as_fields(item: Order, **more):
    return {name: value for name, value in item._asdict().items() if name != "trigger_venue"} | more


def unwaived(limits, *reasons):
    """The limits with these checks on."""
    return replace(limits, waived=limits.waived & ~sum(1 << reason for reason in reasons))


def parity(limits):
    """As the bank sends it with the limits: one bit a field."""
    return sum((value.bit_count() & 1) << number for number, value in enumerate(vars(limits).values()))


class Bench:
    """Drives a gateway that is armed, with limits and tokens, unless told otherwise."""

    def __init__(self, dut):
        self.dut = dut
        self.cycle = 0
        self.sent = []  # venue, number, symbol, side and shares left of each order that left
        self.answers = [0] * len(dut.next_user_ref)

    async def start(self, ctx, limits=LIMITS, armed=True):
        dut = self.dut
        self.ctx = ctx
        self.set_limits(limits)
        ctx.set(dut.limits_valid, 1)
        ctx.set(dut.armed, armed)
        ctx.set(dut.passed.ready, 1)
        ctx.set(dut.rejected.ready, 1)
        while ctx.get(dut.clearing):
            await ctx.tick()

    def set_limits(self, limits):
        self.ctx.set(self.dut.limits, vars(limits))
        self.ctx.set(self.dut.limits_parity, parity(limits))

    async def limit_symbol(self, symbol, **limits):
        """Limits of one symbol, in force for the next order; what is not named is not limited."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.symbol_limits.payload, {"symbol": symbol, "values": NO_OWN._replace(**limits)._asdict()})
        ctx.set(dut.symbol_limits.valid, 1)
        await ctx.tick()
        ctx.set(dut.symbol_limits.valid, 0)

    async def submit(self, item):
        """Sends one order. Gives the reason and how many cycles the answer took."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.orders.payload, as_fields(item))
        ctx.set(dut.orders.valid, 1)
        while not ctx.get(dut.orders.ready):
            await ctx.tick()
        await ctx.tick()
        ctx.set(dut.orders.valid, 0)
        for cycles in range(1, 10):
            if ctx.get(dut.passed.valid):
                assert ctx.get(dut.accepted)
                assert not ctx.get(dut.rejected.valid)
                assert ctx.get(dut.passed.payload.shares) == item.shares
                self._left(item)
                await ctx.tick()
                return RejectReason.NONE, cycles
            if ctx.get(dut.rejected.valid):
                assert not ctx.get(dut.accepted)
                assert ctx.get(dut.rejected.payload.order.shares) == item.shares
                reason = RejectReason(ctx.get(dut.rejected.payload.reason))
                await ctx.tick()
                return reason, cycles
            await ctx.tick()
        raise AssertionError("no answer")

    async def submit_pair(self, first, second, late=0):
        """Sends two orders, the second so many cycles late. Gives shares, reason and cycle of each answer."""
        ctx, dut = self.ctx, self.dut
        answers, cycle, taken = [], 0, []
        queue = [(0, first), (late, second)]
        while len(answers) < 2 and cycle < 60:
            offered = queue[0][1] if queue and (not taken or cycle > taken[0] + queue[0][0]) else None
            ctx.set(dut.orders.valid, offered is not None)
            if offered is not None:
                ctx.set(dut.orders.payload, as_fields(offered))
            if offered is not None and ctx.get(dut.orders.ready):
                taken.append(cycle)
                queue.pop(0)
            if ctx.get(dut.passed.valid) and ctx.get(dut.passed.ready):
                self._left(first if ctx.get(dut.passed.payload.venue) == first.venue else second)
                answers.append((ctx.get(dut.passed.payload.shares), RejectReason.NONE, cycle - taken[0]))
            if ctx.get(dut.rejected.valid):
                refused = dut.rejected.payload
                answers.append((ctx.get(refused.order.shares), RejectReason(ctx.get(refused.reason)), cycle - taken[0]))
            await ctx.tick()
            cycle += 1
        ctx.set(dut.orders.valid, 0)
        return answers

    def _left(self, item):
        if item.kind != CANCEL_ORDER:
            self.sent.append([item.venue, self.ctx.get(self.dut.next_user_ref[item.venue]), item.symbol, item.side, item.shares])

    async def reply(self, kind, side, shares, symbol=0):
        """The venues answer so for the orders of a symbol and side, the oldest first. True if an answer was a bad one."""
        bad = False
        for order in self.sent:
            if order[2:4] == [symbol, side] and (mine := min(shares, order[4])):
                order[4] -= mine
                shares -= mine
                bad |= "bad" in await self.answer(kind, order[0], order[1], mine)
        assert not shares, "more than is working"
        return bad

    async def answer(self, kind, venue, user_ref, shares=0, number=None, **more):
        """Sends one answer, as the venue's next one unless told otherwise. Gives the names of what the card says of it."""
        ctx, dut = self.ctx, self.dut
        if number is None and venue < len(self.answers):
            self.answers[venue] += kind != MOVED
            number = self.answers[venue]
        ctx.set(dut.replies.payload, {"kind": kind, "venue": venue, "user_ref": user_ref, "shares": shares, "number": number or 0} | more)
        ctx.set(dut.replies.valid, 1)
        await ctx.tick()
        ctx.set(dut.replies.valid, 0)
        said = set()
        for _ in range(14):
            said |= {name for name in ("late", "bad") if ctx.get(getattr(dut, f"{name}_reply"))}
            await ctx.tick()
        return said

    async def cancels(self, cycles):
        """Lets the gateway's own cancels come to the door for so many cycles. Gives venue and number of each that left, and when."""
        ctx, dut, left = self.ctx, self.dut, []
        for cycle in range(cycles):
            ctx.set(dut.orders.valid, ctx.get(dut.cancels.valid))
            ctx.set(dut.orders.payload, ctx.get(dut.cancels.payload))
            ctx.set(dut.cancels.ready, ctx.get(dut.orders.ready))
            if ctx.get(dut.passed.valid) and ctx.get(dut.passed.ready):
                order = ctx.get(dut.passed.payload)
                assert (order.kind, order.shares, order.strategy) == (OrderKind.CANCEL, 0, 4)
                left.append((order.venue, order.reference, cycle))
            await ctx.tick()
        ctx.set(dut.orders.valid, 0)
        ctx.set(dut.cancels.ready, 0)
        return left

    async def top(self, bid, ask, venue=0, symbol=0, **flags):
        """A top of book, heard by the next order."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.tops.payload, {"venue": venue, "symbol": symbol, "bid_price": bid, "ask_price": ask} | flags)
        ctx.set(dut.tops.valid, 1)
        await ctx.tick()
        ctx.set(dut.tops.valid, 0)

    async def forget(self):
        """Clears the positions, and a fault with them; armed again."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.armed, 0)
        ctx.set(dut.clear_positions, 1)
        await ctx.tick()
        ctx.set(dut.clear_positions, 0)
        while ctx.get(dut.clearing):
            await ctx.tick()
        ctx.set(dut.armed, 1)
        assert not ctx.get(dut.fault)
        self.sent = []

    async def move(self, side, shares, symbol=0):
        """Moves a symbol's position, disarmed for the moment."""
        armed = self.ctx.get(self.dut.armed)
        self.ctx.set(self.dut.armed, 0)
        assert not await self.answer(MOVED, 0, 0, shares, symbol=symbol, side=side)
        self.ctx.set(self.dut.armed, armed)

    async def exposure(self, symbol=0):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.query_symbol, symbol)
        await ctx.tick().repeat(2)
        return ctx.get(dut.position), ctx.get(dut.working_buy), ctx.get(dut.working_sell)


def numbers(dut):
    """Counts the orders of each venue as order entry does."""
    async def count(ctx):
        numbers = [1] * len(dut.next_user_ref)
        ctx.set(dut.next_user_ref, numbers)
        order = dut.passed.payload
        async for _, _, leaves, venue, kind, skip in ctx.tick().sample(dut.accepted, order.venue, order.kind, dut.skip):
            for at in range(len(numbers)):
                numbers[at] += bool(leaves and venue == at and kind.value != CANCEL_ORDER) + (skip >> at & 1)
            ctx.set(dut.next_user_ref, numbers)

    return count


def run(scenario, config=FEW):
    dut = RiskGateway(config)
    bench = Bench(dut)

    async def testbench(ctx):
        bench.ctx = ctx
        await scenario(ctx, dut, bench)

    simulate(dut, testbench, processes=[numbers(dut)])
