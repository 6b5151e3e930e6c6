"""What a trading desk does with the card before, during and after a session, in the terms of the session."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from host.card.addresses import OrderAddress
from host.card.control import Control
from host.card.events import RECORD_WORDS, Event, decode
from host.card.limits import Limits
from host.card.registers import DropReason
from host.card.replies import FILLED, RELEASED
from host.card.simulated import SimulatedCard
from hw.config import CardConfig
from sim.flow.framing import FeedAddressing
from sim.flow.source import Source
from sim.golden.order_frame import Address
from sim.session.answers import Answers
from sim.session.replies import Reply
from sim.session.settings import SessionSettings


def feed_addresses(venues: int) -> list[FeedAddressing]:
    """Where the simulated venues send their feeds: 233.54.12.111 and on."""
    return [FeedAddressing(0xE9360C6F + venue, 26_477 + venue, b"TRAPJAW%03d" % venue) for venue in range(venues)]


def order_addresses(venues: int) -> list[Address]:
    """Where they take orders: 10.0.<venue>.1, from 10.0.<venue>.2."""
    return [
        Address(
            destination_mac=0x02_00_00_00_00_01 + (venue << 8), source_mac=0x02_00_00_00_00_02 + (venue << 8),
            destination_ip=0x0A000001 + (venue << 8), source_ip=0x0A000002 + (venue << 8),
            destination_port=30_001, source_port=40_001 + venue,
        )
        for venue in range(venues)
    ]


def written(address: Address) -> OrderAddress:
    """The same as people write it."""
    macs = [address.destination_mac.to_bytes(6, "big").hex(":"), address.source_mac.to_bytes(6, "big").hex(":")]
    return OrderAddress(
        *macs, str(IPv4Address(address.destination_ip)), str(IPv4Address(address.source_ip)), address.destination_port, address.source_port
    )


class Desk:
    """The host's side of a session: a simulated card, and what is done with it through :class:`host.card.control.Control`.

    Parameters
    ----------
    card : SimulatedCard
    config : CardConfig
        What the card must say it is.
    """

    def __init__(self, card: SimulatedCard, config: CardConfig):
        self._card, self._config = card, config
        self.control = Control(card, config.name)
        self.answers = Answers(self.control.replies, config.venues)

    def prepare(self, source: Source, settings: SessionSettings, before_arming: Callable[[], None] = lambda: None) -> None:
        """Feeds, order sessions, symbols, limits, detector; then arms. From here on the card's events are drained as it runs."""
        control, venues = self.control, len(source.venues)
        for venue, (feed, orders) in enumerate(zip(feed_addresses(venues), order_addresses(venues), strict=True)):
            control.set_feed(venue, str(IPv4Address(feed.ip)), feed.port)
            control.set_order_address(venue, written(orders))
            control.set_user_ref(venue, 1)
            for slot, name in enumerate(source.symbols):
                control.bind_symbol(venue, slot, source.venues[venue].locates[name], name)
            if not source.venues[venue].synthetic:
                control.assume_trading(venue, range(len(source.symbols)))
        control.set_limits(Limits(
            settings.max_shares, settings.max_notional, settings.max_position, settings.rate_burst, settings.rate_interval
        ))
        for venue in range(venues):
            control.set_arbitrage_venue(venue)
        control.set_arbitrage(
            min_profit=settings.min_profit, max_shares=settings.leg_shares, cooldown=settings.cooldown, symbols=range(len(source.symbols))
        )
        control.drain_events()
        before_arming()
        control.arm()
        self._card.drain_events(self._config.events)

    def events(self) -> Iterator[Event]:
        """What the card has reported since the last call."""
        words, cycles = self._card.take_event_words()
        for number in range(len(cycles)):
            yield decode(words[RECORD_WORDS * number : RECORD_WORDS * (number + 1)])

    def reply(self, reply: Reply) -> None:
        """Passes a venue's answer on to the gateway."""
        for kind, shares in ((FILLED, reply.filled), (RELEASED, reply.released)):
            if shares:
                self.answers.tell(reply.venue, reply.user_ref, kind, shares)

    def finish(self) -> None:
        self.control.disarm()

    def drops(self) -> dict[str, int]:
        """Frames dropped, by reason, over all venues."""
        return {
            reason.name: sum(self.control.counter(f"DROP_{reason.name}", venue) for venue in range(self._config.venues))
            for reason in DropReason if reason
        }
