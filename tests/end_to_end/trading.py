"""The compiled tiny card in trading, and the golden chain beside it, message by message."""

from contextlib import contextmanager

from host.card.addresses import OrderAddress
from host.card.control import Control
from host.card.limits import Limits
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.flow import itch
from sim.golden.card import CardModel
from sim.golden.ethernet import build_udp
from sim.golden.moldudp64 import pack_packet
from sim.golden.order_frame import Address
from sim.verilated.build import library

SLOTS = {0: "ANTS", 2: "WASP"}
LOCATE = 70
"""Of slot 0 at venue 0; of the others more."""
GROUP, PORT = 0xE9360C6F, 26_477
LIMITS = Limits(max_shares=10_000, max_notional=2**40, max_position=1_000_000, rate_burst=1_000, rate_interval=1)
SETTLED = 1_000
"""Cycles after which everything that a message causes has shown itself."""


class Trading:
    """Both sides; ``say`` is a message of a venue."""

    def __init__(self, card, limits=LIMITS):
        self.card, self.control = card, Control(card, TINY.name)
        self.model = CardModel(TINY.venues, TINY.symbols, TINY.open_orders, TINY.triggers)
        self.sequence, self._reference = [1] * TINY.venues, 0
        for venue, model in enumerate(self.model.venues):
            self._set_up(venue, model)
        self.control.set_limits(limits)
        self.control.arm()
        card.run(SETTLED)

    def _set_up(self, venue, model):
        control, settings = self.control, model.settings
        settings.addresses[0], settings.feed_sequence, settings.assume_trading = (GROUP, PORT), 1, set(SLOTS)
        settings.order_address = Address(0x020000000001 + venue, 0x020000000002, 0x0A000001 + venue, 0x0A000002, 30_001, 40_001 + venue)
        control.set_feed(venue, "233.54.12.111", PORT, 1)
        control.set_order_address(venue, OrderAddress(
            f"02:00:00:00:00:{1 + venue:02x}", "02:00:00:00:00:02", f"10.0.0.{1 + venue}", "10.0.0.2", 30_001, 40_001 + venue))
        control.set_user_ref(venue, 1)
        for slot, name in SLOTS.items():
            control.bind_symbol(venue, slot, self.locate(venue, slot), name)
            settings.locates[self.locate(venue, slot)], self.model.names[slot] = slot, name
        control.assume_trading(venue, SLOTS)
        model.restart()

    def locate(self, venue, slot):
        return LOCATE + 10 * venue + slot

    def add(self, venue, slot, side, shares, price):
        """Adds an order to a venue's book; returns its reference and the golden record."""
        self._reference += 1
        reference = self._reference
        message = itch.add(reference, self.locate(venue, slot), SLOTS[slot], reference, "BS"[side], shares, price)
        return reference, self.say(venue, message)

    def delete(self, venue, slot, reference):
        self._reference += 1
        return self.say(venue, itch.delete(self._reference, self.locate(venue, slot), reference))

    def say(self, venue, message):
        """The golden record of a message that the card has had time to act on."""
        packet = pack_packet(b"TRADING   ", self.sequence[venue], [message])
        frame = build_udp(packet, destination_ip=GROUP, destination_port=PORT)
        self.sequence[venue] += 1
        self.card.queue(venue, [frame])
        self.card.run(SETTLED)
        (event,) = self.model.venues[venue].frame(frame).events
        return self.model.venues[venue].book_event(event)

    def heard(self, *kinds):
        """Events of these kinds since the last call."""
        return [event for event in self.control.drain_events() if isinstance(event, kinds)]

    def frames(self):
        return [frame.data for frame in self.card.take_frames()]

    def sent(self, orders):
        """The golden frames of orders that pass."""
        return [self.model.send(order)[1] for order in orders]


@contextmanager
def trading(limits=LIMITS):
    with SimulatedCard(library(TINY)) as card:
        yield Trading(card, limits)
