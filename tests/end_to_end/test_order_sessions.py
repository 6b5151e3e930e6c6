"""The compiled card at two exchanges that it reaches over TCP: logins, trades of host and detector, losses, and accounts that agree."""

from collections import Counter

import pytest

from host.card.control import BUY, SELL, Control
from host.card.events import OrderRejected, OrderSent, SessionChange, VenueMessage
from host.card.limits import Limits
from host.card.registers import DownReason, RejectReason
from host.card.sessions import Login, Times, Unanswered
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.flow.framing import FeedAddressing
from sim.golden.ouch50 import decode
from sim.golden.tcp import Endpoints
from sim.session.desk import order_addresses, written
from sim.session.market_wire import MarketWire
from sim.session.venue_end import VenueEnd
from sim.venue.exchange import Exchange
from sim.venue.settings import Login as VenueLogin
from sim.venue.settings import VenueSettings
from sim.verilated.build import library
from tests.sim.venue.clients import Client

NAME, PRICE = "ANTS", 24_0000
LOGINS = (VenueLogin("TJ", "TRAPJAW"), VenueLogin("MAKER", "M"))
LIMITS = Limits(max_shares=10_000, max_notional=2**40, max_position=1_000_000, rate_burst=1_000, rate_interval=1)
TICK = 64
TIMES = Times(timeout=100, keep_alive=20_000, tries=4, heartbeat=1_000, silence=60_000)
SETTLED = 8_000
"""Cycles after which an order has been answered."""


class Desk:
    """Card, venues, and the host's account of what it is told."""

    def __init__(self, card):
        self.card, self.control = card, Control(card, TINY.name)
        self.addresses = order_addresses(TINY.venues)
        lines = [[FeedAddressing(0xE9360C6F + 2 * venue + line, 26_477, b"") for line in range(2)] for venue in range(TINY.venues)]
        self.venues = [
            VenueEnd(Exchange(VenueSettings(seed=1, number=venue, crowd=None, before=100_000, logins=LOGINS)),
                     Endpoints(*self.addresses[venue]), tuple(lines[venue]))
            for venue in range(TINY.venues)]
        self.wire = MarketWire(card, self.venues, TINY.clock_hz)
        self.unanswered, self.told, self.events, self.filled = Unanswered(), Counter(), [], Counter()
        self._sides = {}
        self._prepare(lines)

    def _prepare(self, lines):
        control = self.control
        control.sessions.use(range(TINY.venues), tick_cycles=TICK)
        for venue, end in enumerate(self.venues):
            for line, name in enumerate(("FEED", "FEED_B")):
                control.write(f"{name}_IP", lines[venue][line].ip, venue)
                control.write(f"{name}_PORT", lines[venue][line].port, venue)
            control.resync(venue, 1)
            control.bind_symbol(venue, 0, end.exchange.locates[f"{NAME:<8}"], NAME)
            control.sessions.set_up(venue, written(self.addresses[venue]), TIMES)
            control.set_arbitrage_venue(venue)
        control.set_limits(LIMITS)
        self.makers = [Client(end.exchange, "MAKER", "M") for end in self.venues]
        self.run(20_000)  # the market opens
        control.set_arbitrage(min_profit=100, max_shares=1_000, cooldown=0, symbols=())
        control.arm()

    def run(self, cycles=SETTLED):
        """Lets time pass; takes what the card tells."""
        self.wire.run(cycles)
        for event in self.control.drain_events():
            self.unanswered.note(event)
            self.events.append(event)
            match event:
                case OrderSent():
                    self._sides[event.venue, event.user_ref] = event.side
                case VenueMessage():
                    self.told[event.venue, event.type] += 1
                    assert not event.lost
                    assert not event.unsure
                    if event.type == "E":
                        self.filled[event.venue] += event.shares if self._sides[event.venue, event.user_ref] == BUY else -event.shares

    def open(self, venue, number=1):
        self.control.sessions.open(venue, Login("TJ", "TRAPJAW"), number=number, initial_sequence=0xFFFFFF00 + venue)
        self.run()
        assert self.control.sessions.state(venue).up

    def order(self, venue, side, shares, price):
        self.control.send_order(venue=venue, symbol=0, side=side, shares=shares, price=price)

    def heard(self, kind):
        heard, self.events = [event for event in self.events if isinstance(event, kind)], []
        return heard

    def agree(self):
        """Position on the card, of the host's account and at the venues; nothing works, nothing is wrong."""
        control, theirs = self.control, [self._of_venue(end) for end in self.venues]
        assert [self.filled[venue] for venue in range(TINY.venues)] == theirs
        assert control.position(0) == (sum(theirs), 0, 0)
        assert not control.state().fault
        assert control.read("OPEN_ORDERS") == 0
        assert [control.counter(name) for name in ("EVENTS_LOST", "BAD_REPLIES", "LATE_REPLIES", "BUS_ERRORS")] == [0] * 4
        assert not self.card.violations()
        assert not self.wire.stray
        return theirs

    def _of_venue(self, end):
        sides, total = {}, 0
        for message in end.exchange._accounts["TJ"].messages:
            name, fields, _ = decode(message, inbound=False)
            if name in ("accepted", "replaced"):
                sides[fields["user_ref"]] = 1 if fields["side"] == "B" else -1
            elif name == "executed":
                total += sides[fields["user_ref"]] * fields["quantity"]
        return total


@pytest.fixture
def desk():
    with SimulatedCard(library(TINY)) as card:
        yield Desk(card)


@pytest.fixture
def sent(desk):
    """An order of 100 shares that stands at venue 0, with sessions to all."""
    for venue in range(TINY.venues):
        desk.open(venue)
    desk.control.send_order(venue=0, symbol=0, side=BUY, shares=100, price=PRICE - 5_000, day=True)
    desk.run()
    (sent,) = desk.heard(OrderSent)
    return sent


def test_the_host_cancels_an_order_that_stands(desk, sent):
    """In part, and then whatever is left of it; the venue says so, and the card's working shares follow. KILL stops no cancel."""
    control = desk.control
    assert control.position(0) == (0, 100, 0)
    control.orders.cancel(venue=0, symbol=0, user_ref=sent.user_ref, shares=30)
    desk.run()
    (cancel,) = desk.heard(OrderSent)
    assert (cancel.order_kind, cancel.user_ref, desk.told[0, "C"]) == (2, sent.user_ref, 1)
    assert control.position(0) == (0, 30, 0)
    control.kill()
    control.orders.cancel(venue=0, symbol=0, user_ref=sent.user_ref)
    desk.run()
    assert (desk.told[0, "A"], desk.told[0, "C"]) == (1, 2)
    desk.agree()
    assert control.counter("UNKNOWN_CANCELS") == 0


def test_the_host_moves_an_order_that_stands(desk, sent):
    """To another price and size, before and after a part of it has traded; the shares are those of the whole chain."""
    control = desk.control

    def move(shares, price, user_ref):
        control.orders.replace(venue=0, symbol=0, side=BUY, user_ref=user_ref, shares=shares, price=price)
        desk.run()
        events = [event for event in desk.events if isinstance(event, OrderSent | OrderRejected)]
        desk.events = []
        return events

    (first,) = move(60, PRICE - 4_000, sent.user_ref)
    assert (first.order_kind, first.user_ref, desk.told[0, "U"]) == (1, sent.user_ref + 1, 1)
    assert control.position(0) == (0, 60, 0)
    desk.makers[0].enter("S", 20, PRICE - 4_000)
    desk.run()
    assert control.position(0) == (20, 40, 0)
    (second,) = move(80, PRICE - 3_000, first.user_ref)
    assert control.position(0) == (20, 60, 0)
    assert [event.reason for event in move(90, PRICE, first.user_ref)] == [RejectReason.UNKNOWN_ORDER]  # it is no more
    desk.makers[0].enter("S", 60, PRICE - 3_000)
    desk.run()
    assert (desk.told[0, "U"], desk.told[0, "E"]) == (2, 2)
    assert second.user_ref not in desk.unanswered.of(0)
    assert desk.agree() == [80, 0]


def test_a_day_at_two_exchanges(desk):
    """Trades of the host and of the detector; answers that are lost and told again; an order that is lost for ever; the end of the day."""
    control, sessions = desk.control, desk.control.sessions
    # Without a session nothing leaves.
    desk.order(0, BUY, 100, PRICE)
    desk.run()
    assert [event.reason for event in desk.heard(OrderRejected)] == [RejectReason.NO_SESSION]

    # Both sides find each other, and log in.
    for venue, end in enumerate(desk.venues):
        sessions.ask(venue, f"10.0.{venue}.1")
        assert sessions.answer(venue) is None
        end.ask()
        desk.run(1_000)
        assert (sessions.answer(venue), end.card_mac) == (f"02:00:00:00:{venue:02x}:01", end.ends.source_mac)
        desk.open(venue)
        assert sessions.name(venue) == end.exchange.settings.session
    assert [(event.venue, event.up) for event in desk.heard(SessionChange)] == [(0, True), (1, True)]

    # The host buys, in part, and what the venue has no shares for is canceled.
    desk.makers[0].enter("S", 300, PRICE)
    desk.order(0, BUY, 200, PRICE)
    desk.run()
    desk.order(0, BUY, 500, PRICE)
    desk.run()
    desk.order(1, SELL, 10, 7)  # no tick of this venue
    desk.run()
    assert desk.agree() == [300, 0]
    assert (desk.told[0, "A"], desk.told[0, "E"], desk.told[0, "C"]) == (2, 2, 1)

    # An arbitrage: both legs leave at once and trade.
    desk.makers[0].enter("S", 400, PRICE)
    desk.run()
    control.set_arbitrage(min_profit=100, max_shares=1_000, cooldown=0, symbols=[0])
    desk.makers[1].enter("B", 250, PRICE + 1_000)
    desk.run()
    control.set_arbitrage(min_profit=100, max_shares=1_000, cooldown=0, symbols=())
    assert desk.agree() == [550, -250]

    # The venue fills an order, its answers are lost, and so is the connection: the next login brings them.
    desk.venues[0].mute = True
    desk.order(0, BUY, 50, PRICE)
    desk.run(4_000)
    assert control.position(0).working_buy == 50
    desk.venues[0].exchange.disconnect("TJ")
    sessions.cut(0)
    desk.run(2_000)
    desk.venues[0].mute = False
    down = desk.heard(SessionChange)
    assert [(event.venue, event.up, event.reason) for event in down] == [(0, False, DownReason.CLOSED)]
    desk.order(0, BUY, 50, PRICE)
    desk.run()
    assert [event.reason for event in desk.heard(OrderRejected)] == [RejectReason.NO_SESSION]
    desk.order(1, BUY, 1, 1_0000)  # the other venue is still there
    desk.run()
    assert control.position(0) == (300, 50, 0)
    desk.open(0, sessions.number(0))
    assert desk.agree() == [600, -250]

    # An order never comes to the venue: it is known by name, and forgotten.
    desk.venues[0].deaf = True
    desk.order(0, BUY, 70, PRICE)
    desk.run(30 * TICK)
    sessions.cut(0)
    desk.run(1_000)
    desk.venues[0].connection.close("the connection is lost")
    desk.venues[0].deaf, desk.venues[0]._tcp = False, None
    desk.open(0, sessions.number(0))
    (lost,) = desk.unanswered.of(0)
    assert control.position(0).working_buy == 70
    control.replies.unsent(0, lost)
    desk.unanswered.forget(0)
    desk.run(1_000)
    assert desk.agree() == [600, -250]
    desk.order(0, BUY, 25, PRICE)
    desk.run()
    assert desk.agree() == [625, -250]

    # The end of the day.
    for venue in range(TINY.venues):
        sessions.logout(venue)
    desk.run()
    assert {sessions.state(venue).state for venue in range(TINY.venues)} <= {"closed", "last ACK", "time wait"}
    assert [event.reason for event in desk.heard(SessionChange) if not event.up][-2:] == [DownReason.PEER_CLOSED] * 2
    assert control.counter("SESSION_MESSAGES", 0) == len(desk.venues[0].exchange._accounts["TJ"].messages)
    assert all(control.counter("SESSION_BAD_FRAMES", venue) == 0 for venue in range(TINY.venues))
