"""A session with exchanges that live: the card's orders reach them over TCP, trade in their books, and are heard of in their feeds."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from host.card.events import Event, OrderSent, VenueMessage
from host.card.sessions import Login, Times
from host.card.simulated import SimulatedCard, SimulatedFrame
from hw.config import CardConfig
from sim.flow.framing import FeedAddressing, Place, places
from sim.flow.source import Source, VenueSource
from sim.golden.ethernet import parse_udp
from sim.golden.moldudp64 import unpack_blocks, unpack_header
from sim.golden.ouch50 import decode, packets
from sim.golden.tcp import Endpoints, parse_tcp
from sim.readers.itch50 import timestamp_of
from sim.report.record import Check, PositionStep, SessionRecord
from sim.session.desk import feed_addresses, order_addresses, written
from sim.session.market_wire import FeedFrame, MarketWire
from sim.session.session import STEP, Progress, Session
from sim.session.settings import SessionSettings
from sim.session.tap_wire import TapWire
from sim.session.timeline import Timeline
from sim.session.venue_end import VenueEnd
from sim.venue.exchange import Exchange
from sim.venue.settings import CrowdSettings, VenueSettings
from sim.venue.settings import Login as VenueLogin

USER, PASSWORD = "TJ", "TRAPJAW"
VENUES_MAC = 0x02_00_00_00_00_01
"""As behind one router."""
TICK_CYCLES = 4_096
TIMES = Times(timeout=40, heartbeat=30_000, silence=60_000)
LONGEST = 400_000
"""Cycles that a login, or the last answers, may take."""
EAGER = CrowdSettings(rate=100_000.0, decay=20_000, news=4_000.0)
"""A crowd with as much to do in a millisecond as others have in a long while: the card's cycles are dear here."""
BEFORE = 200_000
"""Nanoseconds until the market opens; by then the card has logged in."""


@dataclass(frozen=True)
class LiveSettings:
    """Attributes
    ----------
    seed : int
        Of the venues and their crowds.
    venues : int
    messages : int
        Of all feeds together, after which the card trades no more.
    crowd : CrowdSettings
    """

    seed: int
    venues: int = 2
    messages: int = 30_000
    crowd: CrowdSettings = EAGER


class LiveSession(Session):
    """One session at exchanges that hear the card's orders.

    Parameters
    ----------
    card : SimulatedCard
        Freshly reset, with order sessions.
    config : CardConfig
    settings : SessionSettings
        Their ``idle_limit``, ``damage_every`` and what they say of replies mean nothing here.
    live : LiveSettings
    tap : str or None
        Name of a TAP device: the kernel's TCP, ARP and multicast are between card and exchanges (``TapWire``). None: nothing is.
    """

    def __init__(self, card: SimulatedCard, config: CardConfig, settings: SessionSettings, live: LiveSettings, tap: str | None = None):
        self._live = live
        logins = (VenueLogin(USER, PASSWORD),)
        exchanges = [Exchange(VenueSettings(live.seed, number, crowd=live.crowd, before=BEFORE, logins=logins))
                     for number in range(live.venues)]
        names = [symbol.name for symbol in exchanges[0].settings.symbols][:config.symbols]
        venues = [VenueSource(exchange.settings.name, f"exchange simulator, seed {live.seed}", True, {
            name: exchange.locates[f"{name:<8}"] for name in names}) for exchange in exchanges]
        notes = [
            "The venues are exchanges with books of their own, where a seeded crowd trades; all hear the same news, at different times.",
            "The card's orders go to them over TCP, trade in their books, and their feeds tell of it.",
        ]
        super().__init__(card, config, Source(f"Trading at exchanges, seed {live.seed}", names, venues, lambda: (), live.messages, notes),
                         settings)
        self._ends = [
            VenueEnd(exchange, Endpoints(*orders)._replace(destination_mac=VENUES_MAC),
                     (FeedAddressing(feed.ip, feed.port, b""), FeedAddressing(feed.ip + 16, feed.port, b"")))
            for exchange, orders, feed in zip(
                exchanges, order_addresses(live.venues), feed_addresses(live.venues), strict=True)]
        wired = (card, self._ends, config.clock_hz, self._heard)
        self._wire_to = MarketWire(*wired) if tap is None else TapWire(tap, *wired)
        self._numbers: dict[tuple[int, int], int] = {}
        self._acknowledged: set[tuple[int, int]] = set()

    def run(self, show: Callable[[Progress], None] = lambda progress: None) -> SessionRecord:
        """The whole session; ``show`` is called now and then."""
        began, first_cycle = time.monotonic(), self._card.cycle
        self._desk.prepare(self._source, self._settings, before_arming=self._log_in)
        while self.progress.messages < self._live.messages:
            self._wire_to.run(STEP)
            self._look()
            self.progress.cycles, self.progress.seconds = self._card.cycle - first_cycle, time.monotonic() - began
            show(self.progress)
        self._wind_down()
        self._record.cycles, self._record.seconds = self._card.cycle - first_cycle, time.monotonic() - began
        self._close(Timeline(self._config.clock_hz, sys.maxsize, first_cycle))
        return self._record

    def _log_in(self) -> None:
        control = self._desk.control
        sessions = control.sessions
        sessions.use(range(len(self._ends)), tick_cycles=TICK_CYCLES)
        for venue, end in enumerate(self._ends):
            assert end.lines is not None
            for line, name in zip(range(self._config.lines), ("FEED", "FEED_B"), strict=False):
                control.write(f"{name}_IP", end.lines[line].ip, venue)
                control.write(f"{name}_PORT", end.lines[line].port, venue)
            sessions.ask(venue, str(IPv4Address(end.ends.destination_ip)))
        self._until(lambda: all(sessions.answer(venue) for venue in range(len(self._ends))), "hear the venues' Ethernet addresses")
        for venue, address in enumerate(order_addresses(len(self._ends))):
            sessions.set_up(venue, written(address)._replace(destination_mac=sessions.answer(venue) or ""), TIMES)
            sessions.open(venue, Login(USER, PASSWORD))
        self._until(lambda: all(sessions.state(venue).up for venue in range(len(self._ends))), "log in at the venues")

    def _until(self, done: Callable[[], bool], what: str) -> None:
        end = self._card.cycle + LONGEST
        while not done():
            if self._card.cycle > end:
                raise RuntimeError(f"the card does not {what} within {LONGEST:,} cycles")
            self._wire_to.run(STEP // 4)
            self._look()

    # What comes and goes

    def _heard(self, frame: FeedFrame) -> None:
        """A frame of a feed is on its way to the card; both lines bring the same messages."""
        if frame.line >= self._config.lines:
            return
        self._pushed[frame.venue] += 1
        self._arrived.append((frame.start, frame.end))
        self._arrived.sort(key=lambda arrival: arrival[0])
        self._good_frames[frame.venue] += 1
        datagram = parse_udp(frame.data)
        assert datagram is not None
        if unpack_header(datagram.payload).sequence <= len(self._places[frame.venue]):
            return  # the other line was first
        messages = list(unpack_blocks(datagram.payload))
        where: tuple[Place, ...] = places(messages, [timestamp_of(message) for message in messages])
        self._places[frame.venue] += where
        self._frame_of[frame.venue] += [len(self._arrived) - 1] * len(where)
        self._now = max([self._now, *(place.time for place in where)])
        self.progress.messages += len(where)

    def _taken_frames(self) -> list[SimulatedFrame]:
        frames, self._wire_to.frames = self._wire_to.frames, []
        return frames

    def _take_frame(self, sent: SimulatedFrame) -> None:
        """Of those that carry orders; the others are the sessions' own."""
        self._left.append(sent.last_cycle)
        for venue, end in enumerate(self._ends):
            segment = parse_tcp(sent.data, end.ends)
            if segment is None or not segment.payload:
                continue
            for packet in packets([segment.payload]):
                if packet.type == "U" and (order := self._ledger.message(venue, packet.payload)) is not None:
                    self._wire[order.venue, order.user_ref] = sent

    def _take_order(self, event: OrderSent) -> None:
        self._numbers[event.venue, event.user_ref] = len(self._ledger.orders)
        super()._take_order(event)

    def _ask_venue(self, number: int, event: OrderSent) -> None:
        """It has been asked already."""

    def _take_other(self, event: Event) -> None:
        if not isinstance(event, VenueMessage) or (number := self._numbers.get((event.venue, event.user_ref))) is None:
            return
        order = self._ledger.orders[number]
        if event.type == "E":
            self.progress.filled += not order.filled
            self._ledger.fill(number, event.shares)
            self._record.positions.append(PositionStep(self._now, order.symbol, self._ledger.positions[order.symbol]))
        elif event.type in "AJ":
            order.answered = True

    # The end

    def _wind_down(self) -> None:
        """No new orders; the venues answer those there are, and see the card off."""
        control = self._desk.control
        control.write_slots("ARB_ENABLE", ())
        self._until(lambda: all(order.answered for order in self._ledger.orders), "hear of all its orders")
        self._wire_to.run(STEP)
        self._look()
        self._desk.finish()
        if isinstance(self._wire_to, TapWire):
            self._wire_to.close()

    def _checks(self) -> list[Check]:
        control = self._desk.control
        lines = super()._checks()
        theirs = [self._at_venues(name) for name in self._source.symbols]
        lines += [Check(f"position of {name} at the venues", ours, position)
                  for name, ours, position in zip(self._source.symbols, self._ledger.positions, theirs, strict=True)]
        for counter in ("SESSION_DOWN", "SESSION_REFUSED", "SESSION_RETRANSMITTED", "SESSION_BAD_FRAMES"):
            counted = sum(control.counter(counter, venue) for venue in range(len(self._ends)))
            lines.append(Check(counter.lower().replace("_", " "), 0, counted))
        return [*lines, Check("frames of the card that were for nobody", 0, len(self._wire_to.stray))]

    def _at_venues(self, name: str) -> int:
        """By what the venues have told, whoever heard it."""
        total = 0
        for end in self._ends:
            sides: dict[int, int] = {}
            for data in end.exchange.told(USER):
                message = decode(data, inbound=False)
                fields = message.fields
                if message.name == "accepted" and fields["symbol"].rstrip() == name:
                    sides[fields["user_ref"]] = 1 if fields["side"] == "B" else -1
                elif message.name == "executed" and fields["user_ref"] in sides:
                    total += sides[fields["user_ref"]] * fields["quantity"]
        return total
