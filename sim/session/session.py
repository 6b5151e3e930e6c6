"""Runs a session: feeds the card, drains its events, answers its orders, and compares all accounts at the end."""

import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from host.card.events import ArbitrageSignal, Event, OrderRejected, OrderSent, TopOfBook
from host.card.latency import Latencies, latencies
from host.card.registers import RejectReason
from host.card.simulated import SimulatedCard, SimulatedFrame
from hw.config import CardConfig
from hw.reasons import DropReason
from sim.flow.framing import Frame, Place, frames
from sim.flow.source import Source
from sim.report.record import BUY, SELL, Check, PositionStep, Quote, RejectedOrder, SentOrder, SessionRecord, Signal, VenueRecord
from sim.session.damage import damaged
from sim.session.desk import Desk, feed_addresses, order_addresses
from sim.session.ledger import Ledger
from sim.session.replies import Venues
from sim.session.settings import SessionSettings
from sim.session.timeline import Timeline

STEP = 4_096
"""Cycles between two looks at the card."""

QUIET = 64
"""Cycles: a frame that comes this long after the one before it finds the books idle."""

SIDES = (BUY, SELL)


@dataclass
class Progress:
    """How far a session is, for whoever shows it."""

    messages: int = 0
    total: int = 0
    orders: int = 0
    filled: int = 0
    """Orders that traded, in full or in part."""
    rejects: dict[str, int] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)
    latencies: list[int] = field(default_factory=list)
    """Cycles from the end of the trigger, of all orders so far."""
    cycles: int = 0
    seconds: float = 0.0


class Session:
    """One session on a simulated card.

    Parameters
    ----------
    card : SimulatedCard
        Freshly reset.
    config : CardConfig
        What the card must be.
    source : Source
        At most as many symbols and venues as the card has.
    settings : SessionSettings
    """

    def __init__(self, card: SimulatedCard, config: CardConfig, source: Source, settings: SessionSettings):
        asked, has = (len(source.symbols), len(source.venues)), (config.symbols, config.venues)
        if asked[0] > has[0] or asked[1] > has[1]:
            raise ValueError(f"card {config.name} has {has[0]} symbols at {has[1]} venues, the session needs {asked[0]} at {asked[1]}")
        self._card, self._config, self._source, self._settings = card, config, source, settings
        venues = len(source.venues)
        self._addresses = feed_addresses(venues)
        self._desk = Desk(card, config)
        self._ledger = Ledger(source.symbols, {
            (address.destination_ip, address.destination_port): venue for venue, address in enumerate(order_addresses(venues))
        })
        self._venues = Venues(settings)
        self._chance = random.Random(f"trapjaw damage {settings.seed}")
        self._places: list[list[Place]] = [[] for _ in range(venues)]
        self._pushed = [0] * venues
        self._good_frames = [0] * venues
        self._expected_drops = dict.fromkeys((reason for reason in DropReason if reason), 0)
        self._frame_of: list[list[int]] = [[] for _ in range(venues)]
        self._arrived: list[tuple[int, int]] = []
        self._wire: dict[tuple[int, int], SimulatedFrame] = {}
        self._left: list[int] = []
        self._refused: set[tuple[int, int]] = set()
        self._sent: list[OrderSent] = []
        self._legs: dict[tuple[int, int], int] = {}
        self._now = 0
        self.progress = Progress(total=source.total, positions=self._ledger.positions)
        self._record = SessionRecord(
            title=source.title, card=config.name, configuration=f"{config.hash:016x}", clock_hz=config.clock_hz,
            settings=settings.in_words(config.clock_hz), venues=[], symbols=source.symbols, position_limit=settings.max_position,
            notes=list(source.notes), reject_reasons=[reason.name for reason in RejectReason if reason],
        )

    @property
    def symbols(self) -> list[str]:
        return self._source.symbols

    def run(self, show: Callable[[Progress], None] = lambda progress: None) -> SessionRecord:
        """The whole session; ``show`` is called now and then."""
        self._desk.prepare(self._source, self._settings)
        began, first_cycle = time.monotonic(), self._card.cycle
        timeline = Timeline(self._config.clock_hz, self._settings.idle_limit, first_cycle + STEP)
        arrivals = ((timeline.arrival(frame.time), frame) for frame in frames(self._source.messages(), self._addresses))
        following = next(arrivals, None)
        while following is not None:
            horizon = self._card.cycle + STEP
            following = self._queue(arrivals, following, horizon)
            self._card.run(max(horizon - self._card.cycle, 1))
            self._look()
            self.progress.cycles, self.progress.seconds = self._card.cycle - first_cycle, time.monotonic() - began
            show(self.progress)
        self._wind_down()
        self._record.cycles, self._record.seconds = self._card.cycle - first_cycle, time.monotonic() - began
        self._close(timeline)
        return self._record

    # Market data

    def _queue(self, arrivals: Iterator[tuple[int, Frame]], following: tuple[int, Frame], horizon: int) -> tuple[int, Frame] | None:
        """Gives the card the frames that arrive before the horizon; the first one after it, or None at the end."""
        due: list[list[tuple[int, bytes, bool]]] = [[] for _ in self._pushed]
        while following is not None and following[0] < horizon:
            start, frame = following
            for data, error in self._with_damage(frame):
                due[frame.venue].append((start, data, error))
                self._arrived.append((start, start + -(-len(data) // 8)))
            self._places[frame.venue] += frame.places
            self._frame_of[frame.venue] += [len(self._arrived) - 1] * len(frame.places)
            self._now = frame.time
            self.progress.messages += len(frame.places)
            following = next(arrivals, None)
        for venue, batch in enumerate(due):
            if batch:
                starts, data, errors = zip(*batch, strict=True)
                self._card.queue(venue, data, starts=starts, errors=errors)
                self._pushed[venue] += len(batch)
        return following

    def _with_damage(self, frame: Frame) -> Iterator[tuple[bytes, bool]]:
        """The frame, now and then behind a damaged copy of itself. The first of a venue stays alone: its session is the right one."""
        every = self._settings.damage_every
        if every and self._good_frames[frame.venue] and self._chance.randrange(every) == 0:
            copy = damaged(frame, self._addresses[frame.venue], self._chance)
            self._expected_drops[copy.reason] += 1
            yield copy.data, copy.error
        self._good_frames[frame.venue] += 1
        yield frame.data, False

    # Events, orders, answers

    def _look(self) -> None:
        """Takes what the card has said and sent, and tells it what the venues say."""
        for sent in self._taken_frames():
            self._take_frame(sent)
        for event in self._desk.events():
            match event:
                case TopOfBook():
                    self._take_quote(event)
                case OrderSent():
                    self._take_order(event)
                case OrderRejected():
                    self._take_reject(event)
                case ArbitrageSignal():
                    self._record.signals.append(Signal(event.symbol, event.buy_venue, event.sell_venue, event.shares, event.profit))
                case _:
                    self._take_other(event)
        for reply in self._venues.due(self._card.cycle):
            self._desk.reply(reply)
            self._ledger.answer(reply.number, reply.filled)
            if reply.filled:
                self.progress.filled += 1
                self._record.positions.append(PositionStep(self._now, reply.symbol, self._ledger.positions[reply.symbol]))

    def _taken_frames(self) -> list[SimulatedFrame]:
        return self._card.take_frames()

    def _take_other(self, event: Event) -> None:
        """Nothing else matters here."""

    def _take_frame(self, sent: SimulatedFrame) -> None:
        order = self._ledger.frame(sent.data, sent.error)
        if order is not None:
            self._wire[order.venue, order.user_ref] = sent
        self._left.append(sent.last_cycle)

    def _take_quote(self, event: TopOfBook) -> None:
        place = self._place(event.venue, event.sequence)
        unsure = event.stale or event.halted
        self._record.quotes.append(Quote(place.time, event.venue, event.symbol, event.bid_price, event.ask_price, unsure))

    def _take_order(self, event: OrderSent) -> None:
        number = self._ledger.sent(
            venue=event.venue, user_ref=event.user_ref, side=event.side, symbol=event.symbol, shares=event.shares, price=event.price
        )
        self._ask_venue(number, event)
        self._sent.append(event)
        self.progress.orders += 1
        self.progress.latencies.append(event.latency)

    def _ask_venue(self, number: int, event: OrderSent) -> None:
        self._venues.order(
            number, cycle=self._card.cycle, venue=event.venue, user_ref=event.user_ref, symbol=event.symbol, side=event.side,
            shares=event.shares,
        )

    def _take_reject(self, event: OrderRejected) -> None:
        reason = event.reason.name
        self._ledger.rejects[reason] += 1
        self.progress.rejects[reason] = self._ledger.rejects[reason]
        self._refused.add((event.trigger_venue, event.trigger_sequence))
        place = self._place(event.trigger_venue, event.trigger_sequence)
        self._record.rejected.append(
            RejectedOrder(place.time, event.venue, event.symbol, SIDES[event.side], event.shares, event.price, reason)
        )

    def _place(self, venue: int, sequence: int) -> Place:
        return self._places[venue][sequence - 1]

    # The end

    def _wind_down(self) -> None:
        """Lets everything arrive that is still under way."""
        self._card.run_until_idle()
        self._look()
        while self._venues.waiting:
            self._card.run(STEP)
            self._look()
        self._card.run_until_idle()
        self._look()
        self._desk.finish()

    def _close(self, timeline: Timeline) -> None:
        record, source = self._record, self._source
        record.message_times = [[place.time for place in places] for places in self._places]
        times = [time for venue in record.message_times for time in (venue[:1] + venue[-1:])]
        record.market_start, record.market_end = min(times), max(times)
        record.venues = [
            VenueRecord(venue.name, venue.origin, venue.synthetic, len(places), frames)
            for venue, places, frames in zip(source.venues, self._places, self._good_frames, strict=True)
        ]
        record.sent = [self._sent_order(number, event) for number, event in enumerate(self._sent)]
        record.drops = self._desk.drops()
        record.checks = self._checks()
        cut = timeline.cut * 1e9 / self._config.clock_hz
        if cut:
            span, played = record.market_end - record.market_start, record.market_end - record.market_start - cut
            record.notes.append(
                f"Frames come at their venues' own times, whatever the card does; only pauses are cut to {self._settings.idle_limit:,} "
                f"cycles. Of {span / 1e6:,.0f} ms of market {played / 1e6:,.1f} ms were played, and in the rest nothing came."
            )

    def _sent_order(self, number: int, event: OrderSent) -> SentOrder:
        trigger = event.trigger_venue, event.trigger_sequence
        place = self._place(*trigger)
        leg = self._legs[trigger] = self._legs.get(trigger, 0) + 1
        frame = self._wire.get((event.venue, event.user_ref))
        return SentOrder(
            time=place.time, cycle=frame.first_cycle if frame else 0, venue=event.venue, symbol=event.symbol, side=SIDES[event.side],
            shares=event.shares, price=event.price, user_ref=event.user_ref, trigger_venue=trigger[0], trigger_sequence=trigger[1],
            trigger=place.kind, quiet=place.alone and self._quiet_before(*trigger), leg=leg, from_end=event.latency,
            from_start=event.latency + place.last_word - place.first_word, filled=self._ledger.orders[number].filled,
        )

    def _quiet_before(self, venue: int, sequence: int) -> bool:
        """Whether nothing came shortly before the frame of this message, no order was leaving, and none of its own was refused."""
        if (venue, sequence) in self._refused:
            return False
        number = self._frame_of[venue][sequence - 1]
        start, _ = self._arrived[number]
        came = self._arrived[number - 1][1] if number else 0
        left = self._left[at - 1] if (at := bisect_left(self._left, start)) else 0
        leaving = at < len(self._left) and self._left[at] < start + QUIET // 2  # its frame began before ours was digested
        return came + QUIET <= start and left < start and not leaving

    def _checks(self) -> list[Check]:
        control, venues, drops = self._desk.control, range(len(self._pushed)), self._desk.drops()
        positions = [control.position(symbol) for symbol in range(len(self._source.symbols))]
        lines = self._ledger.checks(
            card_positions=[each.position for each in positions],
            card_working=sum(each.working_buy + each.working_sell for each in positions),
            passed=control.counter("ORDERS_PASSED"),
            rejected={reason.name: control.counter(f"REJECT_{reason.name}") for reason in RejectReason if reason},
        )
        for venue in venues:
            name, messages = self._source.venues[venue].name, len(self._places[venue])
            lines += [
                Check(f"frames of {name}", self._pushed[venue], control.counter("FRAMES", venue)),
                Check(f"messages of {name}, next expected", messages + 1, control.read("FEED_EXPECTED", venue)),
            ]
        lines += [
            Check(f"frames dropped: {reason.name}", count, drops[reason.name])
            for reason, count in self._expected_drops.items() if count or drops[reason.name]
        ]
        synthetic = [venue for venue in venues if self._source.venues[venue].synthetic]  # a recorded day may name orders from before it
        for counter in ("GAPS", "STALE", "UNKNOWN_REFERENCES", "DUPLICATE_REFERENCES", "STORE_FULL", "LEVELS_FULL", "BAD_EVENTS"):
            asked = synthetic if counter == "UNKNOWN_REFERENCES" else venues
            lines.append(Check(_words(counter), 0, sum(control.counter(counter, venue) for venue in asked)))
        lines += [Check(_words(counter), 0, control.counter(counter)) for counter in ("EVENTS_LOST", "BAD_REPLIES", "BUS_ERRORS")]
        lines.append(Check("signals of the arbitrage detector", len(self._record.signals), control.counter("SIGNALS")))
        lines += self._latency_checks(latencies(control))
        return [*lines, Check("breaches of the stream rules at the order port", 0, int(bool(self._card.violations())))]

    def _latency_checks(self, seen: Latencies) -> list[Check]:
        """The card's histogram against the orders that it told: how many, their sum, and its bins one by one."""
        told = sorted(event.latency for event in self._sent)
        wrong = sum(one.orders != bisect_right(told, one.last) - bisect_left(told, one.first) for one in seen.bins)
        return [
            Check("orders in the card's latency histogram", len(told), seen.orders),
            Check("sum of their latencies, in cycles", sum(told), seen.total),
            Check("bins of it that say otherwise", 0, wrong + (sum(one.orders for one in seen.bins) != len(told))),
        ]


def _words(counter: str) -> str:
    return counter.lower().replace("_", " ")
