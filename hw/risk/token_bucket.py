"""Message-rate limit as a token bucket (RFC 2697 calls it a single-rate meter)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class TokenBucket(wiring.Component):
    """Grants at most ``burst`` messages at once and one more every ``interval`` cycles.

    A limit of zero messages is expressed by ``burst = 0``: nothing is ever granted.

    Parameters
    ----------
    burst_width, interval_width : int
        Widths of the two limits, in bits; each at least 1.

    Ports
    -----
    burst : In(burst_width)
        Largest number of tokens held, in messages. May change at any time; tokens above it are forfeited.
    interval : In(interval_width)
        Cycles per token. 0 is taken as 1.
    request : In(1)
        A message asks to pass in this cycle.
    double : In(1)
        The request is for two messages, of which both pass or neither.
    available : Out(1)
        A request would be granted in this cycle. Does not depend on ``request``.
    full : Out(1)
        It holds ``burst`` tokens.
    grant : Out(1)
        It may. Combinational from ``request`` (latency 0); one request per cycle.

    Notes
    -----
    After reset the bucket is empty: fail closed until the first token has been earned.
    """

    LATENCY = 0

    def __init__(self, *, burst_width: int = 16, interval_width: int = 32):
        if burst_width < 1 or interval_width < 1:
            raise ValueError(f"widths must be at least 1 bit, not burst {burst_width}, interval {interval_width}")
        super().__init__({
            "burst": In(burst_width),
            "interval": In(interval_width),
            "request": In(1),
            "double": In(1),
            "available": Out(1), "full": Out(1),
            "grant": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        tokens = Signal.like(self.burst)
        age = Signal.like(self.interval, init=1)  # cycles since the last token was earned, this one included

        earned = Signal()
        m.d.comb += earned.eq(age >= self.interval)
        m.d.sync += age.eq(Mux(earned, 1, age + 1))

        m.d.comb += [
            self.available.eq(Mux(self.double, (tokens > 1) & (self.burst > 1), (tokens != 0) & (self.burst != 0))),
            self.grant.eq(self.request & self.available), self.full.eq(tokens >= self.burst),
        ]

        granted, kept, forfeits = Signal.like(tokens), Signal.like(tokens), Signal()
        m.d.comb += [
            forfeits.eq(tokens > self.burst), granted.eq(tokens - Mux(earned, self.double, Mux(self.double, 2, 1))),
            kept.eq(tokens + (earned & (tokens != self.burst))),
        ]
        # Whether it grants is known late: it chooses between what has been worked out before.
        m.d.sync += tokens.eq(Mux(self.grant & ~forfeits, granted, Mux(forfeits, self.burst, kept)))
        return m
