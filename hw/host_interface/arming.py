"""Arming the card: never by one stray write, and after a trip only when somebody has taken note of it."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

STEP = 0x9E3779B9
"""2^32 over the golden ratio: its multiples lie far from each other."""


class Arming(wiring.Component):
    """Says whether the card is armed.

    It is armed in two steps: the complement of the challenge is written to ``unlock``, and then 1 to ``arm``, not later than
    ``WINDOW`` cycles after it. The challenge changes with each step, done right or wrong, so neither can be repeated. Whatever disarms
    an armed card by itself trips it: from then on it can't be armed before the trip has been acknowledged.

    Ports
    -----
    may_arm : In(1)
        0 disarms.
    expired, fault : In(1)
        With ``may_arm`` low: these trip it.
    unlock_written, unlock : In(1), In(32)
    arm_written, arm : In(1), In(1)
        0 disarms at any time.
    trip_written, trip_acknowledged : In(1), In(2)
        A bit as in ``trip``.
    challenge : Out(32)
    trip : Out(2)
        Bit 0: the host was silent for too long; bit 1: a fault.
    armed : Out(1)
        A register.
    refused : Out(1)
        Pulse: it was to be armed or unlocked, and was not.
    """

    WINDOW = 1 << 24

    def __init__(self):
        super().__init__({
            "may_arm": In(1), "expired": In(1), "fault": In(1), "unlock_written": In(1), "unlock": In(32), "arm_written": In(1),
            "arm": In(1), "trip_written": In(1), "trip_acknowledged": In(2), "challenge": Out(32, init=STEP), "trip": Out(2),
            "armed": Out(1), "refused": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        number, left, right, allowed = Signal(32), Signal(range(self.WINDOW)), Signal(), Signal()
        m.d.comb += [
            right.eq(self.unlock == ~self.challenge),
            allowed.eq(self.may_arm & (self.armed | (left != 0) & ~self.trip.any())),
        ]
        m.d.sync += [
            number.eq(number + STEP), left.eq(left - (left != 0)),
            self.refused.eq(self.unlock_written & ~right | self.arm_written & self.arm & ~allowed),
            self.trip.eq(self.trip & ~(self.trip_acknowledged & self.trip_written.replicate(2))),
        ]
        with m.If(self.unlock_written | self.arm_written):
            m.d.sync += [self.challenge.eq(number), left.eq((self.unlock_written & right).replicate(len(left)))]
        with m.If(~self.may_arm):
            m.d.sync += [self.armed.eq(0), left.eq(0)]
            with m.If(self.armed):
                m.d.sync += self.trip.eq(self.trip | Cat(self.expired, self.fault))
        with m.Elif(self.arm_written):
            m.d.sync += self.armed.eq(self.arm & allowed)
        return m
