"""All event counters of the card in one block RAM."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

FAN_IN = 16
"""Accumulators that one register of the first collecting level takes together."""

PIPELINE = 3
"""Cycles from the visit of a counter to the write of its new value."""


class Counters(wiring.Component):
    """Counts what the card's stages report, 64 bits a counter.

    Next to each input stands a small accumulator. A walk visits one of them a cycle, takes what it has collected and adds it to the
    counter in the RAM: an event shows within one walk and a few cycles (``VISIBLE``), and none is ever lost.

    Parameters
    ----------
    elements : list of (counter, venue, offset)
        What ``counter_elements(config)`` of the register map gives: the definition of each counter, and its venue if it is per venue.

    Ports
    -----
    One member per counter, or per family of counters, in lower case, an array where it is per venue:
        In(1), a pulse per event; In(n) for a counter of amounts, added in every cycle; or for a family
        ``valid`` and ``reason``: a pulse with the reason that says which counter of the family counts it (others: none); an array where
        several may pulse in a cycle.
    index : In(range(count))
        Which counter to read, by its place in ``elements``.
    value : Out(64)
        Two cycles after ``index``. 0 during the first walk after reset, which clears the RAM.

    Attributes
    ----------
    count : int
        Number of counters.
    VISIBLE : int
        Cycles after which ``value`` is sure to show an event.
    """

    def __init__(self, elements):
        self._elements = elements
        self.count = len(elements)
        self.VISIBLE = self.count + PIPELINE + 4
        if self.count <= PIPELINE + 1:
            raise ValueError(f"the walk needs more than {PIPELINE + 1} counters, not {self.count}")

        venues = 1 + max(venue for _, venue, _ in elements)
        highest = {}
        for counter, _, _ in elements:
            highest[counter.family] = max(counter.reason, highest.get(counter.family, 0))
        members = {}
        for counter, _, _ in elements:
            member = In(counter.amount_bits)
            if counter.family:
                member = In(wiring.Signature({"valid": Out(1), "reason": Out(bits_for(highest[counter.family]))}))
            dimensions = [venues] * counter.per_venue + [counter.sources] * (counter.sources > 1)
            members[port_name(counter)] = member.array(*dimensions) if dimensions else member
        super().__init__({**members, "index": In(range(self.count)), "value": Out(64)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = memory.Memory(shape=64, depth=self.count, init=[])
        visit, position = self._walk(m)
        taken = self._collect(m, visit)
        first_walk = self._add(m, ram, position, taken)

        port = ram.read_port()
        asked_in_first_walk = Signal(init=1)
        m.d.comb += port.addr.eq(self.index)
        m.d.sync += [asked_in_first_walk.eq(first_walk), self.value.eq(Mux(asked_in_first_walk, 0, port.data))]
        return m

    def _walk(self, m):
        """One-hot and binary position of the walk."""
        visit = Signal(self.count, init=1)
        position = Signal(range(self.count))
        m.d.sync += [visit.eq(visit.rotate_left(1)), position.eq(Mux(visit[-1], 0, position + 1))]
        return visit, position

    def _increment(self, counter, venue):
        """What an input adds in this cycle."""
        port = getattr(self, port_name(counter))
        port = port[venue] if counter.per_venue else port
        if not counter.family:
            return port
        return sum(source.valid & (source.reason == counter.reason) for source in (port if counter.sources > 1 else [port]))

    def _collect(self, m, visit):
        """What the accumulator visited two cycles ago held."""
        offered = []
        for i, (counter, venue, _) in enumerate(self._elements):
            width = min(64, counter.amount_bits + bits_for(self.count))
            increment = Signal(counter.amount_bits, name=f"increment_{i}")
            pending = Signal(width, name=f"pending_{i}")
            m.d.sync += [
                increment.eq(self._increment(counter, venue)),
                pending.eq(Mux(visit[i], 0, pending) + increment),
            ]
            offered.append(Mux(visit[i], pending, 0))

        groups = []
        for start in range(0, self.count, FAN_IN):
            group = Signal(64, name=f"group_{start // FAN_IN}")
            m.d.sync += group.eq(reduce(or_, offered[start:start + FAN_IN]))
            groups.append(group)
        taken = Signal(64)
        m.d.sync += taken.eq(reduce(or_, groups))
        return taken

    def _add(self, m, ram, position, taken):
        """Reads the counter visited, adds, writes back; returns whether the first walk after reset is still under way."""
        read, write = ram.read_port(), ram.write_port()
        old = Signal(64)
        places = [position]
        for cycle in range(PIPELINE):
            place = Signal.like(position, name=f"position_{cycle + 1}")
            m.d.sync += place.eq(places[-1])
            places.append(place)

        walked = Signal()
        first_walk = Signal(init=1)
        started = Signal(PIPELINE)
        m.d.comb += read.addr.eq(position)
        m.d.sync += [
            old.eq(read.data),
            started.eq((started << 1) | 1),
            write.data.eq(Mux(walked, old, 0) + taken),
            write.en.eq(started[PIPELINE - 2]),
        ]
        m.d.comb += write.addr.eq(places[PIPELINE])
        with m.If(started[PIPELINE - 2] & (places[PIPELINE - 1] == self.count - 1)):
            m.d.sync += walked.eq(1)
        with m.If(write.en & (places[PIPELINE] == self.count - 1)):
            m.d.sync += first_walk.eq(0)
        return first_walk


def port_name(counter):
    """The member that feeds a counter: its family's or its own."""
    return counter.family or counter.name.lower()

