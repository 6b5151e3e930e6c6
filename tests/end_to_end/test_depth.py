"""The ten best levels of either side that the card tells the host, after every message, against the reference book.

Whole days go through the book alone: tests/hw/book/test_days.py.
"""

from itertools import islice

from host.card.control import Control
from host.card.events import BookLevel
from host.card.simulated import SimulatedCard
from hw.book.depth import Depth
from hw.config import TINY
from sim.golden.book import Book
from sim.golden.ethernet import build_udp
from sim.golden.itch50 import decode
from sim.golden.moldudp64 import pack_packet
from sim.readers.itch50 import IS_BOOK, locate_of
from sim.replay.feeds import open_feed
from sim.verilated.build import library
from tests.data import market_data

PREMARKET = "nasdaq_itch50/20191230_premarket.itch50.gz"
SESSION = b"DEPTH     "


def compare(config, messages, locates):
    """Every message in a frame of its own; after each one what the card tells of its symbol. Returns how many levels were compared."""
    slots = {locate: slot for slot, locate in enumerate(locates)}
    book, compared = Book(), 0
    with SimulatedCard(library(config)) as card:
        control = Control(card, config.name)
        for locate, slot in slots.items():
            control.bind_symbol(0, slot, locate, f"S{slot}")
        control.set_feed(0, "233.54.12.111", 26_477, 1)
        while control.state().busy[0]:
            card.run(1000)
        for sequence, message in enumerate(messages, 1):
            card.queue(0, [build_udp(pack_packet(SESSION, sequence, [message]), destination_ip=0xE9360C6F, destination_port=26_477)])
            event = decode(message)
            touched = book.apply(event)
            locate = locate_of(message) if touched is None else touched
            assert card.run_until_idle(10_000)
            control.look(0, slots[locate])
            told = [event for event in control.drain_events() if isinstance(event, BookLevel)]
            sides = book.depth(locate, Depth.LEVELS)
            wanted = [(side, number, *(levels[number] if number < len(levels) else (0, 0, 0)))
                      for side, levels in enumerate(sides) for number in range(Depth.LEVELS)]
            assert [(level.side, level.number, level.price, level.shares, level.orders) for level in told] == wanted, f"message {sequence}"
            assert {(level.symbol, level.sequence) for level in told} == {(slots[locate], sequence)}
            compared += sum(map(len, sides))
        for name in ("STORE_FULL", "LEVELS_FULL", "DUPLICATE_REFERENCES", "BAD_EVENTS", "LEVEL_OVERFLOWS"):
            assert not control.counter(name, 0), name
    return compared


def test_the_ten_best_levels_after_every_message():
    """Of the premarket file the four symbols with most activity that the smallest card has room for."""
    messages = [message for _, message in open_feed(market_data(PREMARKET)).messages() if IS_BOOK[message[0]]]
    activity = {locate: sum(locate_of(message) == locate for message in messages) for locate in {*map(locate_of, messages)}}
    locates = sorted(activity, key=lambda locate: (-activity[locate], locate))[4:8]
    messages = [message for message in messages if locate_of(message) in locates]
    assert compare(TINY, islice(messages, 300), locates) > 500
