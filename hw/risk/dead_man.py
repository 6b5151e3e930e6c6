"""Dead-man timer: whoever is silent too long no longer trades."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class DeadMan(wiring.Component):
    """Tells that the host has not been heard for too long.

    Parameters
    ----------
    unit_bits : int
        The interval counts in 2^unit_bits cycles.

    Ports
    -----
    heartbeat : In(1)
        Pulse: the host lives.
    interval : In(32)
        Longest silence, in 2^unit_bits cycles; 0: there is no heartbeat that would do.
    expired : Out(1)
        A register: the last heartbeat is ``interval`` units old, or older. After reset too.
    """

    LATENCY = 1

    def __init__(self, unit_bits: int = 10):
        super().__init__({"heartbeat": In(1), "interval": In(32), "expired": Out(1, init=1)})
        self._unit_bits = unit_bits

    def elaborate(self, platform):
        m = Module()
        silent = Signal(self._unit_bits + 32, init=-1)  # cycles without a heartbeat; stays at the last
        m.d.sync += [
            silent.eq(Mux(self.heartbeat, 0, silent + ~silent.all())),
            self.expired.eq(~self.heartbeat & ((silent >> self._unit_bits) >= self.interval)),
        ]
        return m
