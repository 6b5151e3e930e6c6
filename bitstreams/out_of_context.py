"""Places any component by itself: its ports, far more than a package has pins, hang on shift registers.

Every input bit of the component comes straight from a flip-flop and every output bit goes straight into one, so that the
timing report speaks of the component alone and the harness adds no logic in front of or behind it.
"""

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Const, DomainRenamer, Module, ResetSignal, Signal, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.export import ports

LANES = 16
"""Bits that the shift registers move at once: yosys follows a chain by recursion, and one of thousands of flip-flops is too long for it."""

KEEP = {"keep": 1}
"""Names that stay in the netlist, to be found and counted there."""


def port_bits(component: wiring.Component) -> tuple[Value, Value]:
    """All input bits and all output bits of a component; constant ports (`ready` of an always-ready stream) are left out."""
    found = ports(component).values()
    return (Cat(signal for signal, direction in found if direction == PortDirection.Input),
            Cat(signal for signal, direction in found if direction == PortDirection.Output))


class OutOfContext(wiring.Component):
    """A component between a shift register that feeds it and one that reads it out.

    Parameters
    ----------
    component : wiring.Component
        In clock domain ``sync``.

    Ports
    -----
    step : In(1)
        The shift registers move on, and the outputs are captured.
    scan_in : In(16)
        Next bits of the component's inputs.
    scan_out : Out(16)
        A signature of the captured outputs.
    reset : In(1)
        Resets the component, two cycles later.
    """

    step: In(1)
    scan_in: In(LANES)
    scan_out: Out(LANES)
    reset: In(1)

    def __init__(self, component: wiring.Component):
        super().__init__()
        self._component = component
        self._inputs, self._outputs = port_bits(component)
        if not len(self._outputs):
            raise ValueError(f"{type(component).__name__} has no output port: all of it would be optimised away")

    def elaborate(self, platform):
        m = Module()
        m.domains.block = ClockDomain()
        m.d.comb += ClockSignal("block").eq(ClockSignal("sync"))
        m.submodules.component = DomainRenamer("block")(self._component)

        resets = Signal(2, reset_less=True, attrs=KEEP)
        m.d.sync += resets.eq(Cat(self.reset, resets))
        m.d.comb += ResetSignal("block").eq(resets[1])

        # The enable keeps yosys from merging these flip-flops with equal ones inside the component.
        steps = Signal(2, reset_less=True, attrs=KEEP)
        m.d.sync += steps.eq(Cat(self.step, steps))
        feed = Signal(len(self._inputs), reset_less=True, attrs=KEEP)
        captured = Signal(len(self._outputs), reset_less=True, attrs=KEEP)
        fold = Signal(len(self._outputs), reset_less=True, attrs=KEEP)
        m.d.comb += [self._inputs.eq(feed), self.scan_out.eq(fold[-LANES:])]
        with m.If(steps[1]):
            m.d.sync += [
                feed.eq(Cat(self.scan_in, feed)),
                captured.eq(self._outputs),
                fold.eq(captured ^ Cat(Const(0, LANES), fold)),
            ]
        return m


def harness_cost(netlist: dict) -> tuple[int, int]:
    """LUTs and flip-flops of the harness in a netlist of yosys: one each bit that is not constant, and a LUT where two are folded."""
    names = netlist["modules"]["top"]["netnames"]

    def live(name: str) -> list[bool]:
        return [isinstance(bit, int) for bit in names[name]["bits"]] if name in names else []

    captured, fold = live("captured"), live("fold")
    luts = sum(both for both in map(all, zip(captured[LANES:], fold, strict=False)))
    return luts, sum(sum(live(name)) for name in ("resets", "steps", "feed")) + sum(captured) + sum(fold)
