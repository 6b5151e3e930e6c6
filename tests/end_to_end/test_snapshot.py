"""All orders of a book out of the card, and into another one, which then goes on with the feed as if it had seen everything."""

from copy import deepcopy

import pytest

from host.card.control import COUNTED, Control
from host.card.events import TopOfBook
from host.card.protocol import CardError
from host.card.registers import StaleReason
from host.card.simulated import SimulatedCard
from host.card.snapshot import LiveOrder, Snapshot
from hw.book.depth import Depth
from hw.book.order_store import OrderStore
from hw.config import ALVEO, MEDIUM, TINY
from sim.flow import itch
from sim.golden.book import Book
from sim.golden.ethernet import build_udp
from sim.golden.itch50 import decode
from sim.golden.moldudp64 import pack_packet
from sim.golden.records import ADD, CANCEL, DELETE, EXECUTE, SET
from sim.readers.itch50 import IS_BOOK, locate_of
from sim.replay.feeds import open_feed
from sim.verilated.build import library
from tests.data import market_data
from tests.hw.book.model import flow

AMZN = "nasdaq_itch50/20120621_AMZN.itch50.gz"
PREMARKET = "nasdaq_itch50/20191230_premarket.itch50.gz"
SESSION = b"SNAPSHOT  "
GROUPS, PORT = ("233.54.12.111", "233.54.12.112"), 26_477
TROUBLES = ("STORE_FULL", "LEVELS_FULL", "DUPLICATE_REFERENCES", "BAD_EVENTS", "LEVEL_OVERFLOWS", "UNKNOWN_REFERENCES", "GAPS")


class Rig:
    """A card that follows a feed by locates on venues 0 and 1, and the reference book of each."""

    def __init__(self, card, config, locates, feeds=(0, 1)):
        self.card, self.control = card, Control(card, config.name)
        self.slots = {locate: slot for slot, locate in enumerate(locates)}
        for venue in feeds:
            for locate, slot in self.slots.items():
                self.control.bind_symbol(venue, slot, locate, f"S{slot}")
            self.control.set_feed(venue, GROUPS[venue], PORT)
        self.books, self.sequence = [Book(), Book()], [0, 0]
        self.tops = []

    def feed(self, venue, messages, in_frame=8):
        """The next messages of a venue, some to a frame, as fast as the event ring is drained."""
        for first in range(0, len(messages), in_frame):
            self.card.queue(venue, [frame(venue, self.sequence[venue] + 1, messages[first:first + in_frame])])
            for message in messages[first:first + in_frame]:
                self.books[venue].apply(decode(message))
                self.sequence[venue] += 1
            assert self.card.run_until_idle(10_000)
            self.tops += [event for event in self.control.drain_events() if isinstance(event, TopOfBook)]

    def wanted(self, venue):
        return sorted(LiveOrder(reference, self.slots[order.locate], order.side, order.price, order.shares)
                      for reference, order in self.books[venue].orders.items())

    def check(self, venue) -> Snapshot:
        """A snapshot, which must be the reference book's orders."""
        told = self.control.snapshot(venue)
        assert told.exact
        assert sorted(told.orders) == self.wanted(venue)
        assert set(told.sequences) <= {told.sequence}
        return told

    def check_levels(self, venue):
        for locate, slot in self.slots.items():
            self.control.look(venue, slot)
            levels = [(event.side, event.price, event.shares, event.orders) for event in self.control.drain_events() if event.price]
            sides = self.books[venue].depth(locate, Depth.LEVELS)
            assert levels == [(side, *level) for side, levels in enumerate(sides) for level in levels]

    def check_counters(self, venue):
        assert not [name for name in TROUBLES if self.control.counter(name, venue)]


def frame(venue, sequence, messages):
    return build_udp(pack_packet(SESSION, sequence, messages), destination_ip=0xE9360C6F + venue, destination_port=PORT)


def random_messages(seed, count, crowd):
    """ITCH messages of a random flow on the locates 0 to 3, which has no SET."""
    messages, book = [], Book()
    for number, event in enumerate(flow(seed, count, symbols=4, prices=30, crowd=crowd, faults=0)):
        time, locate, reference, shares = number, event.locate, event.reference, event.shares
        if event.kind == SET or (event.kind != ADD and reference not in book.orders):
            continue
        if event.kind in (EXECUTE, CANCEL) and shares > book.orders[reference].shares:
            continue
        book.apply(event)
        if event.kind == ADD:
            messages.append(itch.add(time, locate, f"S{locate}", reference, "BS"[event.side], shares, event.price))
        elif event.kind == EXECUTE:
            messages.append(itch.executed(time, locate, reference, shares, number))
        elif event.kind == CANCEL:
            messages.append(itch.cancel(time, locate, reference, shares))
        elif event.kind == DELETE:
            messages.append(itch.delete(time, locate, reference))
        else:
            messages.append(itch.replace(time, locate, reference, event.new_reference, shares, event.price))
    return messages


def last_tops(tops):
    return {(top.venue, top.symbol): (top.bid_price, top.bid_shares, top.ask_price, top.ask_shares, top.stale) for top in tops}


def book_messages(name):
    return [message for _, message in open_feed(market_data(name)).messages() if IS_BOOK[message[0]]]


def part_of_the_premarket():
    """Messages of the four symbols with most activity that the smallest card has room for, and their locates."""
    messages = book_messages(PREMARKET)
    activity = {locate: sum(locate_of(message) == locate for message in messages) for locate in {*map(locate_of, messages)}}
    locates = sorted(activity, key=lambda locate: (-activity[locate], locate))[4:8]
    return [message for message in messages if locate_of(message) in locates], locates


def test_a_snapshot_is_the_reference_books_orders():
    """Of both venues, from none on to more than the event ring holds."""
    messages, locates = part_of_the_premarket()
    with SimulatedCard(library(TINY)) as card:
        rig = Rig(card, TINY, locates)
        most = 0
        for first in range(0, 360, 60):
            for venue in (0, 1):
                told = rig.check(venue)
                most = max(most, len(told.orders))
                assert told.sequence == rig.sequence[venue]
                rig.feed(venue, messages[first:first + 60 - 30 * venue])
        assert most > TINY.events
        rig.check_counters(0)


@pytest.mark.parametrize(("venue", "seed"), [(0, 1), (1, 2)])
def test_a_card_that_begins_with_a_snapshot_goes_on_as_one_that_saw_everything(venue, seed):
    messages = random_messages(seed, 700, crowd=60)
    middle = len(messages) // 2
    with SimulatedCard(library(TINY)) as card, SimulatedCard(library(TINY)) as other:
        rig = Rig(card, TINY, range(4))
        rig.feed(venue, messages[:middle])
        told = rig.check(venue)
        late = Rig(other, TINY, range(4))
        late.books, late.sequence[venue] = deepcopy(rig.books), middle
        late.control.restore(venue, told.orders, middle + 1)
        assert not late.control.state().stale[venue]
        again = late.control.snapshot(venue)
        assert sorted(again.orders) == sorted(told.orders)
        assert again.sequence == middle
        assert late.control.counter("MESSAGES", venue) == late.control.counter("RESTORED", venue) == 0
        assert late.control.counter("BOOK_EVENTS", venue) == len(told.orders) > 30
        assert all(event.stale for event in late.control.drain_events() if isinstance(event, TopOfBook))
        late.check_levels(venue)

        late.feed(venue, messages[middle:])
        rig.feed(venue, messages[middle:])
        late.check(venue)
        late.check_levels(venue)
        late.check_counters(venue)
        behind = [top for top in rig.tops if top.sequence > middle]
        assert {top.symbol for top in behind} == {0, 1, 2, 3}
        assert last_tops(late.tops) == last_tops(behind)
        seen = {(top.symbol, top.sequence): last_tops([top]) for top in late.tops}
        assert all(seen[top.symbol, top.sequence] == last_tops([top]) for top in behind)
        assert late.control.counter("MESSAGES", venue) == len(messages) - middle


def test_the_feed_waits_on_the_card_while_its_book_is_restored():
    """Old messages, and new ones, that come meanwhile: the book goes on with the first one that is not in it."""
    messages = random_messages(5, 160, crowd=60)
    middle = 100
    with SimulatedCard(library(TINY)) as card:
        rig = Rig(card, TINY, range(4))
        for message in messages[:middle]:
            rig.books[0].apply(decode(message))
        orders = rig.wanted(0)
        first = card.cycle + 1400
        frames = [frame(0, number + 1, messages[number:number + 4]) for number in range(middle - 20, len(messages), 4)]
        card.queue(0, frames, starts=[first + 20 * number for number in range(len(frames))])
        rig.control.restore(0, orders, middle + 1)
        assert not card.waiting(0), "all of it came meanwhile"
        for message in messages[middle:]:
            rig.books[0].apply(decode(message))
        assert card.run_until_idle(10_000)
        rig.check(0)
        rig.check_counters(0)
        assert rig.control.read("FEED_EXPECTED", 0) == len(messages) + 1
        assert rig.control.counter("MESSAGES", 0) == len(messages) - middle


def test_what_is_not_waited_for_is_refused():
    with SimulatedCard(library(TINY)) as card:
        control = Rig(card, TINY, range(4)).control

        def give(venue, symbol, reference=1):
            control.write("RESTORE_REFERENCE", reference)
            control.write("RESTORE_SHARES", 100)
            control.write("RESTORE_PRICE", 10_000)
            control.write("RESTORE_ORDER", symbol | venue << 8)
            settle()
            return control.counter("RESTORE_REFUSED")

        def settle():
            card.run(10)
            while control.read("RESTORE_ORDER") >> 31:
                pass
            card.run(COUNTED)

        assert give(0, 0) == 1
        assert not control.snapshot(0).orders
        control.write("FEED_SEQUENCE", 50, 1)
        control.write("RESTORE", 2)
        while control.state().busy[1]:
            pass
        assert control.state().stale == (False, True)
        assert control.read("STALE_REASON", 1) == StaleReason.RESTORE
        assert give(0, 0) == 2, "another venue"
        assert give(TINY.venues, 0) == 3
        assert give(1, TINY.symbols) == 4
        assert give(1, 0) == 4
        control.write("RESTORE_ORDER", 1 << 8)  # the same again, while the second comes
        control.write("RESTORE_ORDER", 1 << 8 | 3)
        settle()
        assert control.counter("RESTORE_REFUSED") == 5
        assert control.counter("DUPLICATE_REFERENCES", 1) == 1
        assert [order.symbol for order in control.snapshot(1).orders] == [0]
        assert control.state().stale[1]
        control.write("RESTORE_DONE", 1)  # of the venue that does not wait
        assert control.state().stale == (False, True)
        control.write("RESTORE_DONE", 2)
        card.run(10)
        assert control.state().stale == (False, False)
        assert give(1, 0) == 6
        assert len(control.snapshot(1).orders) == 1
        assert control.read("FEED_EXPECTED", 1) == 50


def test_a_book_that_does_not_hold_the_orders_stays_stale_until_it_is_resynchronised():
    hashes, references = OrderStore(TINY).table.hash, []
    while len(references) < 9:  # a set of either bank has four ways
        reference = len(references) and references[-1] + 1
        while hashes.compute(reference) != 0:
            reference += 1
        references.append(reference)
    orders = [LiveOrder(reference, 0, 0, 10_000, 100) for reference in references]
    with SimulatedCard(library(TINY)) as card:
        rig = Rig(card, TINY, range(4))
        with pytest.raises(CardError, match="STORE_FULL"):
            rig.control.restore(1, orders, 10)
        rig.card.run(1000)
        assert rig.control.state().stale == (False, True)
        rig.control.resync(1, 1)
        assert rig.control.state().stale == (False, False)
        assert not rig.control.snapshot(1).orders
        rig.feed(1, random_messages(9, 100, crowd=40))
        rig.check(1)
        rig.control.restore(1, orders[1:], 10)
        assert rig.control.state().stale == (False, False)
        assert sorted(rig.control.snapshot(1).orders) == orders[1:]


@pytest.mark.parametrize("wrong", [
    {"orders": [LiveOrder(1, 4, 0, 1, 1)]}, {"orders": [LiveOrder(1, 0, 2, 1, 1)]}, {"orders": [LiveOrder(1, 0, 0, 0, 1)]},
    {"orders": [LiveOrder(1, 0, 0, 1, 0)]}, {"orders": [LiveOrder(1, 0, 0, 1, 1)] * 2}, {"next_sequence": 0},
    {"orders": [LiveOrder(number, 0, 0, 1, 1) for number in range(257)]}, {"venue": 2}, {"next_sequence": 1 << 64},
])
def test_orders_that_cannot_be_meant_reach_no_card(wrong):
    with SimulatedCard(library(TINY)) as card:
        control = Rig(card, TINY, range(4)).control
        with pytest.raises(ValueError, match="not|reference"):
            control.restore(**{"venue": 0, "orders": [LiveOrder(1, 0, 0, 1, 1)], "next_sequence": 7, **wrong})
        assert control.state().stale == (False, False)


@pytest.mark.slow
def test_all_symbols_of_the_premarket():
    """At the end of the file, as many symbols at a time as the largest card has slots."""
    messages = book_messages(PREMARKET)
    locates, told = sorted({*map(locate_of, messages)}), 0
    for first in range(0, len(locates), ALVEO.symbols):
        group = locates[first:first + ALVEO.symbols]
        with SimulatedCard(library(ALVEO)) as card:
            rig = Rig(card, ALVEO, group, feeds=(1,))
            rig.feed(1, [message for message in messages if locate_of(message) in group], in_frame=30)
            told += len(rig.check(1).orders)
            rig.check_counters(1)
    assert told > 1000


@pytest.mark.slow
def test_amazons_day_and_a_card_that_begins_in_the_middle_of_it():
    messages = book_messages(AMZN)
    middle, locates = len(messages) // 2, sorted({*map(locate_of, messages)})
    with SimulatedCard(library(MEDIUM)) as card, SimulatedCard(library(MEDIUM)) as other:
        rig, late = Rig(card, MEDIUM, locates, feeds=(0,)), Rig(other, MEDIUM, locates, feeds=(0,))
        for first in range(0, middle, 10_000):
            rig.feed(0, messages[first:min(first + 10_000, middle)], in_frame=30)
            told = rig.check(0)
        assert len(told.orders) > 500
        late.control.restore(0, told.orders, middle + 1)
        late.books, late.sequence = rig.books, rig.sequence
        for first in range(middle, len(messages), 10_000):
            late.feed(0, messages[first:first + 10_000], in_frame=30)
            late.check(0)
            late.check_levels(0)
        late.check_counters(0)
