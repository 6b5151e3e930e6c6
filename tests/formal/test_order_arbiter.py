"""No strategy can shut out, delay beyond a bound, or speak for another: proved of the arbiter with all that its sources do left free.

Three sources; each may hold ``valid`` for ever, withdraw, change what it offers and leave pairs incomplete, in any cycle. What is
asserted of single cycles holds in every reachable state (induction); the bounds on waiting hold for all that can happen in the first
sixteen cycles after reset. Of an order only the fields that the arbiter reads, and the price, are free.
"""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

import hw.strategy.order_arbiter
from hw.types import Order, OrderKind
from tests.formal.prove import mutated, prove

pytestmark = pytest.mark.formal

STRATEGIES = (1, 3, 2)
COUNT = len(STRATEGIES)
STATE = ("held", "held_cancel", "source", "second", "late", "cancel_served", "new_served", "patience")
CANCEL_WAITS = 2 * (COUNT - 1) + 2
"""What was on offer before, each of the others twice (in this round of turns and, if it had its own turn in it, in the next), and once
something new."""
NEW_WAITS = 2 * (COUNT - 1) + 1
"""Likewise, of what is new; how many cancels go in between is bounded by what is proved of cancels."""
DEPTH = 16


class Around(wiring.Component):
    """The arbiter with free sources; what a source offers is of these fields alone."""

    valid: In(COUNT)
    kinds: In(2 * COUNT)
    pairs: In(COUNT)
    price: In(4 * COUNT)
    enable: In(COUNT)
    ready: In(1)

    def __init__(self, check, *, module=hw.strategy.order_arbiter):
        super().__init__()
        self._check, self._module = check, module

    def ports(self):
        return [Value.cast(getattr(self, name)) for name in self.signature.members]

    def arbiter(self, m, name, *, valid=None):
        m.submodules[name] = arbiter = self._module.OrderArbiter(STRATEGIES)
        for number, port in enumerate(arbiter.inputs):
            m.d.comb += [
                port.valid.eq((self.valid if valid is None else valid)[number]), port.payload.as_value().eq(0),
                port.payload.kind.eq(OrderKind(self.kinds.word_select(number, 2))), port.payload.pair.eq(self.pairs[number]),
                port.payload.price.eq(self.price.word_select(number, 4)), port.payload.shares.eq(1), port.payload.strategy.eq(number + 9),
            ]
        m.d.comb += [arbiter.enable.eq(self.enable), arbiter.output.ready.eq(self.ready)]
        source = arbiter.source  # for the induction: what the arbiter remembers is one source
        m.d.sync += [Assert((source & (source - 1))[:COUNT] == 0), Assert(~arbiter.second | source.any())]
        return arbiter

    def elaborate(self, platform):
        m = Module()
        with m.If(Cat(self.kinds.word_select(number, 2) == 3 for number in range(COUNT)).any()):
            m.d.comb += Assume(0)
        self._check(m, self)
        return m


def is_cancel(port):
    return port.payload.kind == OrderKind.CANCEL


def no_order_is_lost_made_up_or_renamed(m, around):
    """What goes is what a source offered in that cycle, under the source's own number; but for the leg that spoils a pair."""
    arbiter = around.arbiter(m, "arbiter")
    output = arbiter.output
    took = Cat(port.valid & port.ready & ~arbiter.dropped[number] for number, port in enumerate(arbiter.inputs))
    spoiled, started = Signal(), Signal()
    m.d.sync += started.eq(1)
    m.d.comb += spoiled.eq((output.payload.shares == 0) & output.valid)
    alone = Signal()
    m.d.comb += alone.eq((took & (took - 1)) == 0)
    m.d.sync += [Assert(alone), Assert(~took.any() | (output.valid & output.ready)), Assert(~spoiled | ~took.any())]
    first = Signal()  # a first leg has gone, and its other leg is next
    of = Signal(4)
    with m.If(output.valid & output.ready):
        m.d.sync += [
            Assert(spoiled | took.any()), Assert(~spoiled | (first & (output.payload.strategy == of) & ~output.payload.pair)),
            Assert(~first | ((output.payload.strategy == of) & ~output.payload.pair & (output.payload.kind != OrderKind.CANCEL))),
            first.eq(~first & output.payload.pair & (output.payload.kind != OrderKind.CANCEL)), of.eq(output.payload.strategy),
        ]
    second = arbiter.second
    m.d.sync += Assert(first == second)
    named = Cat(arbiter.source[number] & (of == strategy) for number, strategy in enumerate(STRATEGIES)).any()
    m.d.sync += Assert(~first | named)
    for number, (port, strategy) in enumerate(zip(arbiter.inputs, STRATEGIES, strict=True)):
        with m.If(took[number]):
            m.d.sync += [
                Assert(output.payload.strategy == strategy), Assert(output.payload.price == port.payload.price),
                Assert(output.payload.kind == port.payload.kind), Assert(around.enable[number] | is_cancel(port)),
            ]
        with m.If(arbiter.dropped[number]):
            m.d.sync += Assert(port.valid & ~is_cancel(port) & port.ready)


def somebody_goes(m, around):
    """Whoever is heard at all keeps the output valid, in every cycle: nobody holds it up by offering nothing."""
    arbiter = around.arbiter(m, "arbiter")
    late, second = arbiter.late, arbiter.second
    for number, port in enumerate(arbiter.inputs):
        with m.If(port.valid & (is_cancel(port) | (around.enable[number] & ~late[number]))):
            m.d.sync += Assert(arbiter.output.valid)
    with m.If(second):
        m.d.sync += Assert(arbiter.output.valid)


def cancels_go_first(m, around):
    """New orders go while a cancel waits only as a second leg, as what was on offer before, or after enough cancels in a row."""
    arbiter = around.arbiter(m, "arbiter")
    held, second = arbiter.held, arbiter.second
    output, row = arbiter.output, Signal(range(2 * COUNT + 1))  # cancels that went since a new one last went or none waited
    cancels = Cat(port.valid & is_cancel(port) for port in arbiter.inputs)
    late = arbiter.late
    news = Cat(port.valid & ~is_cancel(port) & around.enable[number] & ~late[number] for number, port in enumerate(arbiter.inputs))
    goes_new = output.valid & (output.payload.kind != OrderKind.CANCEL) & ~second & ~held
    with m.If(goes_new & cancels.any()):
        m.d.sync += Assert(row == 2 * COUNT)
    with m.If(output.valid & (output.payload.kind == OrderKind.CANCEL) & ~held & ~second & news.any()):
        m.d.sync += Assert(row != 2 * COUNT)
    with m.If(output.valid & output.ready & ~second):
        with m.If(output.payload.kind == OrderKind.CANCEL):
            m.d.sync += row.eq(0)
            with m.If(news.any()):
                m.d.sync += row.eq(row + (row != 2 * COUNT))
        with m.Else():
            m.d.sync += row.eq(0)
    m.d.sync += Assert(arbiter.patience == 2 * COUNT - row)


def what_is_off_has_no_influence(m, around):
    """Two arbiters, in one of which the first source is not enabled but offers new orders, in the other it is not there."""
    here = around.arbiter(m, "here")
    there = around.arbiter(m, "there", valid=around.valid & ~1)
    with m.If(around.enable[0] | ((around.kinds.word_select(0, 2) == OrderKind.CANCEL.value) & around.valid[0])):
        m.d.comb += Assume(0)
    m.d.sync += [Assert(here.output.valid == there.output.valid), *(Assert(getattr(here, name) == getattr(there, name)) for name in STATE)]
    with m.If(here.output.valid):
        m.d.sync += Assert(here.output.payload.as_value() == there.output.payload.as_value())
    m.d.sync += [Assert(a.ready == b.ready) for a, b in zip(list(here.inputs)[1:], list(there.inputs)[1:], strict=True)]
    m.d.sync += [Assert(~here.source[0]), Assert(~here.late[0])]


def waits_are_bounded(m, around):
    """Of one arbitrary source that offers the same until it is taken: how many orders of the others go meanwhile."""
    arbiter = around.arbiter(m, "arbiter")
    second, output = arbiter.second, arbiter.output
    chosen, fixed = Signal(range(COUNT)), Signal()
    patient, waited = Signal(), Signal(range(4 * NEW_WAITS))
    m.d.sync += fixed.eq(1)
    free = Signal(range(COUNT))
    m.d.comb += free.eq(around.price[:2])
    with m.If(~fixed):
        m.d.sync += chosen.eq(free)
        with m.If(free >= COUNT):
            m.d.comb += Assume(0)
    for number, port in enumerate(arbiter.inputs):
        with m.If(fixed & (chosen == number)):
            with m.If(~around.enable[number]):
                m.d.comb += Assume(0)
            counts = output.valid & output.ready & ~second & (is_cancel(port) | ~is_cancel(output))
            with m.If(port.valid & ~port.ready):
                m.d.sync += [patient.eq(1), waited.eq(waited + counts)]
            with m.Else():
                m.d.sync += [patient.eq(0), waited.eq(0)]
            kind = Signal(2)
            m.d.sync += kind.eq(port.payload.kind)
            with m.If(patient & (~port.valid | (kind != port.payload.kind.as_value()))):
                m.d.comb += Assume(0)
            with m.If(is_cancel(port)):
                m.d.sync += Assert(waited <= CANCEL_WAITS)
            with m.Else():
                m.d.sync += Assert(waited <= NEW_WAITS)
                m.d.sync += Cover(waited == COUNT - 1)


BY_INDUCTION = {check.__name__: check for check in (
    no_order_is_lost_made_up_or_renamed, somebody_goes, cancels_go_first, what_is_off_has_no_influence)}


@pytest.mark.parametrize("name", BY_INDUCTION)
def test_in_every_state(tmp_path, name):
    around = Around(BY_INDUCTION[name])
    prove(around, tmp_path, ports=around.ports(), depth=4)


def test_nobody_waits_longer_than_that(tmp_path):
    around = Around(waits_are_bounded)
    prove(around, tmp_path, ports=around.ports(), depth=DEPTH, mode="bmc")


def test_that_proof_is_not_empty(tmp_path):
    around = Around(waits_are_bounded)
    prove(around, tmp_path, ports=around.ports(), depth=DEPTH, mode="cover")


MUTANTS = {
    "what is on offer may become something else": ("Mux(self.held_cancel, cancels, news)", "(cancels | news)", waits_are_bounded),
    "a source keeps its turn": ("served.eq(Mux((served & chosen).any(), 0, served) | chosen)", "served.eq(0)", waits_are_bounded),
    "a second turn within a round": ("served.eq(Mux((served & chosen).any(), 0, served) | chosen)", "served.eq(served | chosen)",
                                     waits_are_bounded),
    "cancels for ever": ("& ~(news.any() & (patience == 0))", "", cancels_go_first),
    "new before cancels": ("takes_cancel = cancels.any() &", "takes_cancel = cancels.any() & ~news.any() &", cancels_go_first),
    "a name is believed": ("m.d.comb += [order.eq(port.payload), order.strategy.eq(strategy)]", "m.d.comb += order.eq(port.payload)",
                           no_order_is_lost_made_up_or_renamed),
    "one that is off goes on": ("port.valid & ~cancel & self.enable[number] & ~late[number]", "port.valid & ~cancel & ~late[number]",
                                what_is_off_has_no_influence),
    "a pair holds all up": ("self.output.valid.eq(second | cancels.any() | news.any())",
                            "self.output.valid.eq(Mux(second, in_order, cancels.any() | news.any()))", somebody_goes),
    "a pair without end": ("~second & order.pair", "order.pair", no_order_is_lost_made_up_or_renamed),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_proof_fails_on_a_mutant(tmp_path, name):
    old, new, check = MUTANTS[name]
    around = Around(check, module=mutated(hw.strategy.order_arbiter, old, new))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(around, tmp_path, ports=around.ports(), depth=DEPTH, mode="bmc")


def test_the_order_is_what_the_arbiter_reads():
    assert {"kind", "pair", "strategy", "price", "shares"} <= set(Order.as_shape().members)
