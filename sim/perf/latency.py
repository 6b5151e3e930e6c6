"""Tick-to-trade, measured at the ports of the simulated card: one trigger at a time into a quiet card.

Two definitions that are never mixed: from the word with the last byte of the trigger in to the first word of the order frame out; and
from the word with the first byte of the trigger's message in to the first word of the order frame out.
"""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from host.card.control import Control
from host.card.events import OrderSent
from host.card.replies import ENDED
from host.card.sessions import Login
from host.card.simulated import SETTLE_CYCLES, SimulatedCard, SimulatedFrame
from hw.card import STAGES, stage_cycles
from hw.config import TINY, CardConfig
from sim.flow import Message, itch
from sim.flow.framing import Frame, frames
from sim.flow.source import Source, VenueSource
from sim.golden.ethernet import SHORTEST_FRAME
from sim.golden.tcp import Endpoints
from sim.session.desk import Desk, feed_addresses, order_addresses, written
from sim.session.market_wire import MarketWire
from sim.session.settings import SessionSettings
from sim.session.venue_end import VenueEnd
from sim.venue.exchange import Exchange
from sim.venue.settings import VenueSettings
from sim.verilated.build import library

SYMBOL = "PROBE"
LOCATES = (7, 11)
ASK, BID = 100_0000, 101_0000
FAR = {"B": 90_0000, "S": 110_0000}
SETTINGS = SessionSettings(seed=0, max_position=1 << 31, rate_burst=60_000, rate_interval=1, cooldown=1)

STEP = 1_000_000
"""Nanoseconds between two frames: each message is alone in its frame, but for what stands before a trigger on purpose."""

ROUND_TRIPS = 5
"""Times between card and exchange until an order is answered, and that acknowledged."""

NOBODY = 60_000
"""Locate of a symbol that the card does not follow."""


class Measured(NamedTuple):
    """One trigger and the first order that it caused, in cycles."""

    kind: str
    from_end: int
    from_start: int


class MeasurementError(RuntimeError):
    """The card did not do what the measurement needs; the numbers would mean something else."""


class _Script:
    """Frames that build a one-sided market at one venue and cross it at the other, over and over."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.triggers: dict[tuple[int, int], str] = {}
        """Venue and time of each trigger: its message type."""
        self._time = 1_000_000_000
        self._reference = 0
        for venue, locate in enumerate(LOCATES):
            self._frame(venue, itch.trading_action(self._time, locate, SYMBOL, "T"))
        for kind in "AFU":
            for venue in range(2):
                for side in "BS":
                    for lane in range(8):
                        self._probe(kind, venue, side, lane)

    def _frame(self, venue: int, *data: bytes) -> None:
        self.messages += [Message(self._time, venue, message) for message in data]
        self._time += STEP

    def _add(self, venue: int, side: str, price: int, participant: str = "") -> bytes:
        self._reference += 1
        return itch.add(self._time, LOCATES[venue], SYMBOL, self._reference, side, 100, price, participant)

    def _delete(self, venue: int, reference: int) -> None:
        self._frame(venue, itch.delete(self._time, LOCATES[venue], reference))

    def _probe(self, kind: str, venue: int, side: str, lane: int) -> None:
        other, there = 1 - venue, "S" if side == "B" else "B"
        price, opposite = (BID, ASK) if side == "B" else (ASK, BID)
        self._frame(other, self._add(other, there, opposite))
        resting = self._reference
        if kind == "U":
            self._frame(venue, self._add(venue, side, FAR[side]))
            old, self._reference = self._reference, self._reference + 1
            trigger = itch.replace(self._time, LOCATES[venue], old, self._reference, 100, price)
        else:
            trigger = self._add(venue, side, price, "MPID" if kind == "F" else "")
        self.triggers[venue, self._time] = kind
        filler = [itch.trading_action(self._time, NOBODY, "NOBODY", "T")] * lane
        self._frame(venue, *filler, trigger)
        self._delete(venue, self._reference)
        self._delete(other, resting)


def measure(config: CardConfig = TINY, *, over_tcp: bool = False) -> dict:
    """Cycles of each stage as it declares them, and tick-to-trade in both definitions by kind of trigger.

    ``over_tcp``: the orders leave by order sessions, not in datagrams.
    """
    script = _Script()
    with SimulatedCard(library(config)) as card:
        measured = list(_run(card, config, script, _OverTcp(card, config) if over_tcp else _InDatagrams(card)))
    if len(measured) != len(script.triggers):
        raise MeasurementError(f"{len(script.triggers)} triggers were sent, {len(measured)} were measured")
    return {
        "card": config.name,
        "clock_mhz": config.clock_hz / 1e6,
        "stages": [{"name": name, "component": component.__name__, "cycles": stage_cycles(component)}
                   for name, component, _ in STAGES],
        "triggers": len(measured),
        "end_of_trigger_to_first_byte_out": _by_kind([(each.kind, each.from_end) for each in measured], config),
        "start_of_message_to_start_of_frame": _by_kind([(each.kind, each.from_start) for each in measured], config),
    }


class _InDatagrams:
    """What is at the other end of the order port: nobody; the host tells the card that its orders have ended."""

    def __init__(self, card: SimulatedCard):
        self._card = card

    def begin(self, control: Control) -> None:
        """Nothing is to be opened."""

    def settle(self) -> list[SimulatedFrame]:
        """Runs until the card is quiet; the order frames that have left."""
        if not self._card.run_until_idle():
            raise MeasurementError("the card did not become idle after one frame")
        return self._card.take_frames()

    def end(self, desk: Desk, order: OrderSent) -> None:
        desk.answers.tell(order.venue, order.user_ref, ENDED)


class _OverTcp:
    """Exchanges that do not know the symbol, and reject every order."""

    def __init__(self, card: SimulatedCard, config: CardConfig):
        addresses = order_addresses(len(LOCATES))
        self._ends = [VenueEnd(Exchange(VenueSettings(0, venue, crowd=None)), Endpoints(*address), None)
                      for venue, address in enumerate(addresses)]
        self._wire, self._addresses = MarketWire(card, self._ends, config.clock_hz), [written(address) for address in addresses]

    def begin(self, control: Control) -> None:
        control.sessions.use(range(len(self._ends)))
        for venue, address in enumerate(self._addresses):
            control.sessions.set_up(venue, address)
            control.sessions.open(venue, Login("TJ", "TRAPJAW"))
        self.settle()
        if not all(control.sessions.state(venue).up for venue in range(len(self._ends))):
            raise MeasurementError("the card did not log in")

    def settle(self) -> list[SimulatedFrame]:
        for _ in range(ROUND_TRIPS):
            self._wire.run(SETTLE_CYCLES)
        frames, self._wire.frames = self._wire.frames, []
        return [frame for frame in frames if len(frame.data) > SHORTEST_FRAME]

    def end(self, desk: Desk, order: OrderSent) -> None:
        """The exchange has said so."""


def _run(card: SimulatedCard, config: CardConfig, script: _Script, way: _InDatagrams | _OverTcp) -> Iterator[Measured]:
    desk = Desk(card, config)
    venues = [VenueSource(f"venue {v}", "probe", True, {SYMBOL: locate}) for v, locate in enumerate(LOCATES)]
    desk.prepare(Source("probe", [SYMBOL], venues, lambda: script.messages, len(script.messages)), SETTINGS,
                 before_arming=lambda: way.begin(desk.control))
    way.settle()
    for frame in frames(script.messages, feed_addresses(len(venues))):
        start = card.cycle + 8
        card.queue(frame.venue, [frame.data], starts=[start])
        left = way.settle()
        kind = script.triggers.get((frame.venue, frame.time))
        sent, events = left, [event for event in desk.events() if isinstance(event, OrderSent)]
        for event in events:
            way.end(desk, event)
        if len(sent) != (2 if kind else 0):
            raise MeasurementError(f"frame of message {frame.sequence} at venue {frame.venue} caused {len(sent)} orders")
        if kind:
            yield _first(kind, frame, start, sent[0].first_cycle, events[0].latency)


def _first(kind: str, frame: Frame, start: int, out: int, said: int) -> Measured:
    trigger = frame.places[-1]
    measured = Measured(kind, out - start - trigger.last_word, out - start - trigger.first_word)
    if measured.from_end != said:
        raise MeasurementError(f"the card says that an order took {said} cycles, at its ports it took {measured.from_end}")
    return measured


def _by_kind(cycles: list[tuple[str, int]], config: CardConfig) -> dict:
    def summary(values: list[int]) -> dict:
        middle = median(values)
        return {"min": min(values), "median": middle, "max": max(values), "median_ns": round(middle * 1e9 / config.clock_hz, 1)}

    kinds = sorted({kind for kind, _ in cycles})
    return {kind: summary([value for each, value in cycles if each == kind]) for kind in kinds} | {
        "all": summary([value for _, value in cycles])}
