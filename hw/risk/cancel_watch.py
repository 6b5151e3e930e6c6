"""How fast cancels leave: worth a warning, never a reason to stop one."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.risk.token_bucket import TokenBucket


class CancelWatch(wiring.Component):
    """Counts cancels against a token bucket that stops none.

    Ports
    -----
    leaves : In(1)
        Pulse: a cancel leaves.
    burst, interval : In(16), In(32)
        As of ``TokenBucket``; ``burst`` 0: nothing is too fast.
    fast : Out(1)
        Combinational: it leaves too fast.
    fast_lately : Out(1)
        One did, and there has been no time since in which the burst could become whole again.
    """

    LATENCY = 0

    def __init__(self):
        super().__init__({"leaves": In(1), "burst": In(16), "interval": In(32), "fast": Out(1), "fast_lately": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.bucket = bucket = TokenBucket()
        m.d.comb += [
            bucket.burst.eq(self.burst), bucket.interval.eq(self.interval), bucket.request.eq(self.leaves & (self.burst != 0)),
            self.fast.eq(bucket.request & ~bucket.available),
        ]
        with m.If(self.fast):
            m.d.sync += self.fast_lately.eq(1)
        with m.Elif(bucket.full):
            m.d.sync += self.fast_lately.eq(0)
        return m
