"""No way leads to the wire but through the gateway: read from the netlist of the whole card."""

from amaranth.hdl import Fragment, Signal, Value
from amaranth.hdl._ir import PortDirection, build_netlist
from amaranth.hdl._nir import AsyncReadPort, SyncReadPort, SyncWritePort
from amaranth.lib.wiring import In, Out

from hw.card import Card
from hw.config import ECP5, TINY

DIRECTIONS = {In: PortDirection.Input, Out: PortDirection.Output}


class Netlist:
    """The cells of a card, and what flows into what."""

    def __init__(self, card):
        self.card, ports = card, []
        for path, member, value in card.signature.flatten(card):
            signal = Value.cast(value)
            if isinstance(signal, Signal):
                ports.append(("__".join(map(str, path)), signal, DIRECTIONS[member.flow]))
        self.netlist = build_netlist(Fragment.get(card, None), ports=ports)
        self.writers = {}
        for cell in self.netlist.cells:
            if isinstance(cell, SyncWritePort):
                self.writers.setdefault(cell.memory, []).append(cell)

    def module(self, number):
        return self.netlist.modules[self.netlist.cells[number].module_idx].name

    def nets(self, signal):
        return {net for net in self.netlist.signals[signal] if not net.is_const}

    def outputs(self, start):
        return {net for name, value in self.netlist.top.ports_o.items() if name.startswith(start) for net in value}

    def behind(self, nets, door):
        """Cells whose values reach these nets in any number of cycles without passing a cell of the ``door``; number 0: the card's inputs.
        And the nets themselves, for those who look for one bit."""
        seen, cells, waiting = set(), set(), [net for net in nets if not net.is_const]
        while waiting:
            net = waiting.pop()
            if net in seen:
                continue
            seen.add(net)
            if net.cell == 0 or (door in self.module(net.cell)) or net.cell in cells:
                continue
            cells.add(net.cell)
            cell = self.netlist.cells[net.cell]
            sources = [cell]
            if isinstance(cell, SyncReadPort | AsyncReadPort):
                sources += self.writers.get(cell.memory, [])
            waiting += [other for source in sources for other in source.input_nets() if not other.is_const]
        return seen, cells

    def ways_around(self, door):
        """Modules and inputs that reach the order frames otherwise than through the door and should not."""
        seen, cells = self.behind(self.outputs("orders"), door)
        found = {part for cell in cells for part in self.module(cell) if part in ("arbitrage", "trigger", "order_arbiter", "merge_tops")}
        host = self.nets(self.card.bank.host_orders.payload.as_value()) | self.nets(self.card.bank.host_orders.valid)
        found |= {"host orders"} if seen & host else set()
        found |= {name for name, (start, width) in self.netlist.top.ports_i.items() if name.startswith("feed")
                  and any(net.cell == 0 and start <= net.bit < start + width for net in seen)}
        assert any(door in self.module(net.cell) for net in seen if net.cell), "the door is not even on the way"
        return found


def test_nothing_reaches_the_order_frames_but_through_the_gateway():
    """And what is found where all but the registers may go around: the strategies, the host and the feeds."""
    netlist = Netlist(Card(TINY))
    assert netlist.ways_around("gateway") == set()
    assert netlist.ways_around("bank") >= {"order_arbiter", "arbitrage", "trigger", "merge_tops", "host orders", "feed__0__payload"}


def test_a_way_around_is_found():
    class Bypassed(Card):
        def _gateway(self, m, orders, feeds):
            passed = super()._gateway(m, orders, feeds)
            beside = type(passed.signature).create(passed.signature)
            m.d.comb += [
                beside.valid.eq(passed.valid), passed.ready.eq(beside.ready), beside.payload.eq(passed.payload),
                beside.payload.price.eq(self.bank.host_orders.payload.price),
            ]
            return beside

    assert "host orders" in Netlist(Bypassed(ECP5)).ways_around("gateway")
