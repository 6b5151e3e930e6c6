"""The map itself: what the definition promises to hold for every configuration."""

import subprocess
import sys
from dataclasses import replace

import pytest

from hw.config import ALVEO, CARDS
from hw.host_interface import registers
from hw.host_interface.counter_table import COUNTERS, counter_elements
from hw.host_interface.event_records import EVENT_HEADER, EVENTS, EventKind
from hw.host_interface.map_types import Access
from hw.host_interface.registers import REGISTERS
from hw.reasons import DropReason, RejectReason

LARGEST = replace(ALVEO, name="largest", venues=registers.MAX_VENUES, symbols=registers.MAX_SYMBOLS, events=registers.RING_MAX_EVENTS)


def words(config):
    """(register, byte offset) of every word."""
    for register in REGISTERS:
        for _, offset in register.elements(config):
            for number in range(register.words):
                yield register, offset + 4 * number


def test_no_two_registers_share_a_word_even_on_the_largest_card():
    taken = [offset for _, offset in words(LARGEST)] + [o + 4 * i for _, _, o in counter_elements(LARGEST) for i in range(2)]
    assert len(taken) > 2_000
    assert len(taken) == len(set(taken))
    assert all(0 <= offset < registers.REGISTERS_SIZE and offset % 4 == 0 for offset in taken)


def test_wide_registers_stand_at_multiples_of_eight():
    assert all(offset % 8 == 0 for r in REGISTERS if r.words == 2 for _, offset in r.elements(LARGEST))


def test_names_are_unique():
    names = [register.name for register in REGISTERS]
    assert len(set(names)) == len(names)
    counters = [counter.name for counter in COUNTERS]
    assert len(set(counters)) == len(counters)


def test_dimensions_have_room_for_their_maximum():
    for register in REGISTERS:
        for dimension in register.dimensions:
            assert dimension.size(LARGEST) == dimension.maximum, register.name


def test_offsets_do_not_depend_on_the_configuration():
    for config in CARDS.values():
        largest = {register.name: dict(register.elements(LARGEST)) for register in REGISTERS}
        for register in REGISTERS:
            assert dict(register.elements(config)).items() <= largest[register.name].items()


def test_fields_lie_within_their_register_and_apart():
    for register in REGISTERS:
        bits = [bit for field in register.fields for bit in range(field.lsb, field.lsb + field.width)]
        assert len(bits) == len(set(bits)), register.name
        assert all(bit < register.bits for bit in bits), register.name


def test_every_reason_has_its_counter():
    names = {counter.name for counter in COUNTERS}
    assert {f"DROP_{reason.name}" for reason in DropReason if reason} <= names
    assert {f"REJECT_{reason.name}" for reason in RejectReason if reason} <= names


def test_only_live_registers_are_written_and_read_differently():
    assert {register.name for register in REGISTERS if register.live} == {
        "ARM", "EXECUTION_TRIPS", "LATENCY_BIN", "LOOK", "POSITION_SYMBOL", "RESTORE_ORDER", "SIGNAL_SYMBOL", "TRIP", "USER_REF"}
    assert all(register.access is Access.RW for register in REGISTERS if register.live)


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind])
def test_event_fields_do_not_overlap(kind):
    bits = [bit for field in (*EVENT_HEADER, *EVENTS[kind]) for bit in range(field.lsb, field.lsb + field.width)]
    assert len(bits) == len(set(bits))
    assert max(bits) < 8 * registers.RECORD_BYTES


def test_the_definition_needs_no_hdl_tool():
    code = "import sys, hw.host_interface.generate; sys.exit(any(name.startswith('amaranth') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
