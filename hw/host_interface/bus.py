"""The bus between whatever brings host accesses to the card (AXI4-Lite, PCIe, the simulated card) and the register bank."""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

ADDRESS_BITS = 20
"""Byte addresses of the 1 MiB window."""

READ_LATENCY = 6
"""Cycles from ``read`` to its ``read_data``: two address registers (so that a write right before has taken effect), three to look up in
registers and block RAMs alike, and the choice between them."""

RegisterBus = wiring.Signature({
    "address": Out(ADDRESS_BITS),
    "write": Out(1),
    "write_data": Out(32),
    "read": Out(1),
    "read_data": wiring.In(32),
})
"""One 32-bit access a cycle, no wait states, as the initiator sees it (the bank has it as ``In(RegisterBus)``).

``address`` is a byte address; the two lowest bits must be 0. ``read`` and ``write`` never in the same cycle. ``read_data`` is valid exactly
``READ_LATENCY`` cycles after ``read`` and only then. Accesses take effect in the order in which they are given: a read right after a write
sees what was written.
"""
