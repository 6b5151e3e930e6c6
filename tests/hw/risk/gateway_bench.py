"""Drives a gateway order by order."""

from hw.config import TINY
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, Order
from sim.golden.risk import Limits
from tests.hw.bench import simulate

FILLED, RELEASED = 0, 1
LIMITS = Limits(max_shares=1_000, max_notional=500_000_000, max_position=2_000, rate_burst=1_000, rate_interval=1)


def order(*, venue=0, symbol=0, side=BUY, shares=100, price=1_000_000, strategy=1, **more):
    return Order(strategy, venue, symbol, side, shares, price, **more)


def as_fields(item: Order, **more):
    return {name: value for name, value in item._asdict().items() if name != "trigger_venue"} | more


def parity(limits):
    """As the bank sends it with the limits: one bit a field."""
    return sum((value.bit_count() & 1) << number for number, value in enumerate(vars(limits).values()))


class Bench:
    """Drives a gateway that is armed, with limits and tokens, unless told otherwise."""

    def __init__(self, dut):
        self.dut = dut
        self.cycle = 0

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
                answers.append((ctx.get(dut.passed.payload.shares), RejectReason.NONE, cycle - taken[0]))
            if ctx.get(dut.rejected.valid):
                refused = dut.rejected.payload
                answers.append((ctx.get(refused.order.shares), RejectReason(ctx.get(refused.reason)), cycle - taken[0]))
            await ctx.tick()
            cycle += 1
        ctx.set(dut.orders.valid, 0)
        return answers

    async def reply(self, kind, side, shares, symbol=0):
        """Sends one reply. True if it was taken for a bad one."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.replies.payload, {"kind": kind, "symbol": symbol, "side": side, "shares": shares})
        ctx.set(dut.replies.valid, 1)
        await ctx.tick()
        ctx.set(dut.replies.valid, 0)
        bad = False
        for _ in range(6):
            bad |= bool(ctx.get(dut.bad_reply))
            await ctx.tick()
        return bad

    async def exposure(self, symbol=0):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.query_symbol, symbol)
        await ctx.tick().repeat(2)
        return ctx.get(dut.position), ctx.get(dut.working_buy), ctx.get(dut.working_sell)


def run(scenario, config=TINY):
    dut = RiskGateway(config)
    bench = Bench(dut)

    async def testbench(ctx):
        bench.ctx = ctx
        await scenario(ctx, dut, bench)

    simulate(dut, testbench)
