"""Symbols bound by their names on the compiled card: the venue's directory instead of the host's table."""

import pytest

from host.card.control import Control
from host.card.events import TopOfBook
from host.card.registers import REGISTERS
from host.card.simulated import SimulatedCard
from hw.card import DIRECTORY_DEPTH
from hw.config import TINY
from sim.golden.ethernet import build_udp
from sim.golden.moldudp64 import pack_packet
from sim.verilated.build import library

HEAD = bytes(8)  # tracking number and time
SETTLED = 300


def introduction(locate, name):
    return b"R" + locate.to_bytes(2, "big") + HEAD + name.ljust(8).encode() + bytes(20)


def bid(locate, price, reference):
    fields = reference.to_bytes(8, "big") + b"B" + (100).to_bytes(4, "big") + b"ANY     " + price.to_bytes(4, "big")
    return b"A" + locate.to_bytes(2, "big") + HEAD + fields


class Venue:
    """Sends messages to one venue of a card and tells what its tops of book are."""

    def __init__(self, card, control, number):
        self.card, self.control, self.number, self.sequence = card, control, number, 1
        control.set_feed(number, f"233.54.12.{111 + number}", 26_477)

    def send(self, *messages, error=False):
        packet = pack_packet(b"DIRECTORY ", self.sequence, messages)
        frame = build_udp(packet, destination_ip=0xE9360C6F + self.number, destination_port=26_477)
        self.card.queue(self.number, [frame], errors=[error])
        self.card.run(SETTLED)
        self.sequence += 0 if error else len(messages)

    def tops(self):
        """(slot, bid) of this venue since the last look."""
        events = self.control.drain_events()
        return [(event.symbol, event.bid_price) for event in events if isinstance(event, TopOfBook) and event.venue == self.number]


@pytest.fixture
def card():
    with SimulatedCard(library(TINY)) as card:
        yield card


@pytest.fixture
def control(card):
    return Control(card, "tiny")


def test_names_are_bound_by_good_frames_of_a_followed_directory(card, control):
    venues = [Venue(card, control, number) for number in range(TINY.venues)]
    for slot, name in enumerate(("AMZN", "MSFT")):
        control.name_symbol(slot, name)
    control.follow_directory(0)
    for venue in venues:
        venue.send(introduction(8_000, "AMZN"), introduction(8_001, "AMZNW"))
        venue.send(introduction(5_000, "MSFT"), error=True)
        venue.send(bid(8_000, 10_000, 1), bid(8_001, 10_100, 2), bid(5_000, 10_200, 3))
    assert [control.bound_by_name(number) for number in range(2)] == [{0}, set()]
    tops = [event for event in control.drain_events() if isinstance(event, TopOfBook)]
    assert [(top.venue, top.symbol, top.bid_price) for top in tops] == [(0, 0, 10_000)]
    control.follow_directory(1)  # what has been said is remembered
    assert control.bound_by_name(1) == {0}
    venues[1].send(bid(8_000, 10_300, 4))
    assert venues[1].tops() == [(0, 10_300)]


def test_the_host_wins_and_a_new_name_begins_anew(card, control):
    venue = Venue(card, control, 0)
    control.name_symbol(2, "AMZN")
    control.follow_directory(0)
    venue.send(introduction(8_000, "AMZN"))
    assert control.bound_by_name(0) == {2}
    control.write("BINDING", REGISTERS["BINDING"].pack(locate=77, enable=1), 0, 2)
    assert control.bound_by_name(0) == set()
    venue.send(bid(8_000, 10_000, 1), bid(77, 10_100, 2))
    assert venue.tops() == [(2, 10_100)]
    control.unbind_symbol(0, 2)
    assert control.bound_by_name(0) == {2}
    control.name_symbol(2, "MSFT")
    assert control.bound_by_name(0) == set()
    venue.send(bid(8_000, 10_200, 3))
    assert venue.tops() == []
    venue.send(introduction(8_002, "MSFT"))
    venue.send(bid(8_002, 10_300, 4))
    assert venue.tops() == [(2, 10_300)]


def test_a_frame_that_names_too_much_is_counted(card, control):
    venue = Venue(card, control, 1)
    control.name_symbol(0, "AMZN")
    control.follow_directory(1)
    venue.send(*(introduction(locate, "AMZN") for locate in range(DIRECTORY_DEPTH + 1)), error=True)
    assert control.counter("DIRECTORY_MISSED", 1) == 0
    venue.send(*(introduction(locate, "AMZN") for locate in range(DIRECTORY_DEPTH + 1)))
    assert [control.counter("DIRECTORY_MISSED", number) for number in range(2)] == [0, 1]
    assert control.bound_by_name(1) == set()
    venue.send(*(introduction(locate, "AMZN") for locate in range(DIRECTORY_DEPTH)))
    assert control.bound_by_name(1) == {0}
    assert control.counter("DIRECTORY_MISSED", 1) == 1


def test_arguments_are_checked(control):
    with pytest.raises(ValueError, match="one to eight printable"):
        control.name_symbol(0, "TOO LONG!")
    with pytest.raises(ValueError, match="symbol slots 0 to 3"):
        control.name_symbol(4, "AMZN")
    with pytest.raises(ValueError, match="venues 0 to 1"):
        control.follow_directory(2)
