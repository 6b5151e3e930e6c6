"""What signals were some cycles ago."""

from amaranth.hdl import Module, Signal


class History:
    """Registers in a module of their own, so that they run on whatever the condition around a call."""

    def __init__(self, m):
        m.submodules.history = self._module = Module()
        self._chains = {}  # by the value's id: the value, and what it was one, two, ... cycles ago

    def __call__(self, value, cycles=1):
        chain = self._chains.setdefault(id(value), [value])
        while len(chain) <= cycles:
            chain.append(Signal.like(chain[-1]))
            self._module.d.sync += chain[-1].eq(chain[-2])
        return chain[cycles]
