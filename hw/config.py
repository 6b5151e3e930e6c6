"""The named cards. One parameter object makes the hardware, sizes the models and enters the configuration hash."""

import hashlib
import json
from dataclasses import asdict, dataclass

FEED_PROTOCOLS = ("itch50", "pitch", "deep10")
"""What a feed port can speak: ITCH 5.0 in MoldUDP64, Cboe multicast PITCH, IEX DEEP 1.0 in IEX-TP."""


ORDER_PROTOCOLS = ("ouch50", "ouch42")
"""What a venue can take orders in: OUCH 5.0 and 4.2, both in SoupBinTCP packets."""


@dataclass(frozen=True)
class CardConfig:
    """Sizes of a card, fixed at build time.

    Attributes
    ----------
    name : str
    venues : int
        Feed ports, one per venue; 2 to 8.
    symbols : int
        Symbol slots, the same on every venue.
    orders : int
        Places in each venue's order store; a power of two. Plan for a third of it (a hash table whose entries never move),
        with two ways for a tenth.
    levels : int
        Places for far price levels in one table; a power of two, at least 64. Plan for a third of it.
    level_tables : int
        Tables of far levels of each venue's book, which its sides share evenly; a power of two, at most two a symbol.
    backlog : int
        Book events that the buffer of a feed line holds; a power of two. At least 128, so that the fullest frame fits.
    events : int
        Records in the event ring; a power of two.
    clock_hz : int
        156.25 MHz: one 64-bit word each cycle is 10 Gbit/s.
    lines : int
        Live feed lines of a venue, 1 or 2. With one, ``feed_b`` leads nowhere, there is no recovery, and a frame that another one
        has overtaken on its way comes too late: what it brings is missing.
    open_orders : int
        Orders that may be open at a venue at a time; a power of two.
    order_ways : int
        Ways of each of the order store's two banks, 2 or 4: two take half the wires.
    signals : bool
        The card makes signals (docs/signals.md).
    quoter : bool
        It quotes (docs/strategies.md), which needs its signals.
    triggers : int
        Entries for prepared orders, at most 16; 0: the card has no trigger.
    sessions : bool
        Orders can go to a venue over TCP (docs/order_entry.md), the host says to which; else all leave in datagrams.
    price_bits : int
        Of the prices that the arbitrage detector compares, 32 or 48: with 48 the host can write quotes of 2^32 (429,496.7296) and
        more. Feeds, books and orders have 32 (docs/arbitrage.md).
    order_protocols : tuple of str
        What each venue takes orders in; venues that are not named speak ouch50.
    protocols : tuple of str
        Feed protocol of each venue; venues that are not named speak itch50.
    """

    name: str
    venues: int
    symbols: int
    orders: int
    levels: int
    backlog: int
    events: int
    level_tables: int = 1
    clock_hz: int = 156_250_000
    lines: int = 2
    open_orders: int = 16
    order_ways: int = 4
    protocols: tuple[str, ...] = ()
    signals: bool = False
    triggers: int = 0
    quoter: bool = False
    sessions: bool = False
    price_bits: int = 32
    order_protocols: tuple[str, ...] = ()

    def __post_init__(self):
        for field, low, high in (
            ("venues", 2, 8), ("symbols", 1, 256), ("orders", 64, 1 << 22), ("levels", 64, 1 << 16),
            ("level_tables", 1, 2 * self.symbols), ("backlog", 128, 1 << 14), ("events", 16, 1 << 16), ("open_orders", 2, 256),
            ("triggers", 0, 16),
        ):
            value = getattr(self, field)
            if not low <= value <= high:
                raise ValueError(f"card {self.name}: {field} must be {low} to {high}, not {value}")
        for field in ("orders", "levels", "level_tables", "backlog", "events", "open_orders"):
            value = getattr(self, field)
            if value & (value - 1):
                raise ValueError(f"card {self.name}: {field} must be a power of two, not {value}")
        if self.lines not in (1, 2):
            raise ValueError(f"card {self.name}: lines must be 1 or 2, not {self.lines}")
        if self.price_bits not in (32, 48):
            raise ValueError(f"card {self.name}: price_bits must be 32 or 48, not {self.price_bits}")
        if self.order_ways not in (2, 4):
            raise ValueError(f"card {self.name}: order_ways must be 2 or 4, not {self.order_ways}")
        if self.quoter and not self.signals:
            raise ValueError(f"card {self.name}: a quoter needs signals")
        if len(self.protocols) > self.venues or not set(self.protocols) <= set(FEED_PROTOCOLS):
            raise ValueError(f"card {self.name}: protocols must be of {', '.join(FEED_PROTOCOLS)}, one a venue, not {self.protocols}")
        if len(self.order_protocols) > self.venues or not set(self.order_protocols) <= set(ORDER_PROTOCOLS):
            raise ValueError(f"card {self.name}: order_protocols must be of {', '.join(ORDER_PROTOCOLS)}, one a venue, not "
                             f"{self.order_protocols}")

    def order_protocol(self, venue: int) -> str:
        """What a venue takes orders in."""
        return self.order_protocols[venue] if venue < len(self.order_protocols) else ORDER_PROTOCOLS[0]

    def protocol(self, venue: int) -> str:
        """Feed protocol of a venue."""
        return self.protocols[venue] if venue < len(self.protocols) else FEED_PROTOCOLS[0]

    @property
    def frames(self) -> int:
        """Frames that the buffer of a feed line holds."""
        return self.backlog // 8

    @property
    def recovery(self) -> int:
        """Book events, and frames, that a venue's recovery line holds: the most messages to be asked for at a time."""
        return self.backlog // 8

    @property
    def hash(self) -> int:
        """First 64 bits of the SHA-256 of the configuration; the card shows it and the host compares."""
        values = asdict(self)
        if not self.protocols:
            del values["protocols"]  # none named is the same as all itch50
        if not self.order_protocols:
            del values["order_protocols"]
        for part in ("signals", "triggers", "quoter", "sessions"):
            if not values[part]:
                del values[part]
        if self.price_bits == 32:
            del values["price_bits"]
        text = json.dumps(values, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


TINY = CardConfig("tiny", venues=2, symbols=4, orders=256, levels=64, level_tables=2, backlog=128, events=64, signals=True,
                  open_orders=64, triggers=4, quoter=True, sessions=True)
"""For tests: small sizes reach their edges soon."""

ECP5 = CardConfig("ecp5", venues=2, symbols=4, orders=4096, levels=1024, backlog=256, events=256, lines=1, order_ways=2, open_orders=8)
"""For the LFE5UM5G-85F of the ECPIX-5, built with open tools."""

MEDIUM = CardConfig("medium", venues=2, symbols=4, orders=4096, levels=4096, backlog=256, events=256, lines=1, sessions=True)
"""The ECP5 card with deeper books and order sessions, for a larger chip."""

ALVEO = CardConfig("alveo", venues=2, symbols=64, orders=1 << 20, levels=4096, level_tables=32, backlog=1024, events=4096, signals=True,
                   open_orders=64, triggers=16, quoter=True, sessions=True)
"""For a data-centre card; built by the vendor flow."""

CARDS = {card.name: card for card in (TINY, ECP5, MEDIUM, ALVEO)}
"""All named cards, smallest first."""
