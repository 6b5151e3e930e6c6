"""What a trading desk does with the card before, during and after a session, in the terms of the session."""

from collections.abc import Iterator

from host.card.registers import COUNTERS, EVENTS, MAGIC, REGISTERS, DropReason, EventKind
from host.card.simulated import SimulatedCard
from hw.config import CardConfig
from sim.flow.framing import FeedAddressing
from sim.flow.source import Source
from sim.golden.order_frame import Address
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


class Desk:
    """The host's side of a session.

    Parameters
    ----------
    card : SimulatedCard
    config : CardConfig
        What the card must say it is.
    """

    def __init__(self, card: SimulatedCard, config: CardConfig):
        self._card, self._config = card, config

    # Before

    def prepare(self, source: Source, settings: SessionSettings) -> None:
        """Verify the card, load limits, bind symbols, arm."""
        self._verify()
        for venue, (feed, orders) in enumerate(zip(feed_addresses(len(source.venues)), order_addresses(len(source.venues)), strict=True)):
            self._write("FEED_IP", feed.ip, venue)
            self._write("FEED_PORT", feed.port, venue)
            self._write("FEED_SEQUENCE", 1, venue)
            for field, value in orders._asdict().items():
                self._write(f"ORDER_{field.upper()}", value, venue)
            self._write("USER_REF", 1, venue)
            for slot, name in enumerate(source.symbols):
                binding = REGISTERS["BINDING"].pack(locate=source.venues[venue].locates[name], enable=1)
                self._write("BINDING", binding, venue, slot)
        for slot, name in enumerate(source.symbols):
            self._write("NAME", int.from_bytes(name.encode("ascii").ljust(8), "little"), slot)
        self._write("RESYNC", (1 << len(source.venues)) - 1)
        while REGISTERS["STATE"].unpack(self._read("STATE"))["busy"]:
            self._card.run(1_000)
        self._limits(settings)
        self._write("ARB_MIN_PROFIT", settings.min_profit)
        self._write("ARB_MAX_SHARES", settings.leg_shares)
        self._write("ARB_COOLDOWN", settings.cooldown)
        for word in range(-(-self._config.symbols // 32)):
            enabled = (1 << len(source.symbols)) - 1 >> 32 * word & 0xFFFFFFFF
            self._write("ARB_ENABLE", enabled, word)
        self._write("ARM", 1)
        self._card.drain_events(self._config.events)

    def _verify(self) -> None:
        found = self._read("MAGIC"), self._read("CONFIG_HASH")
        if found != (MAGIC, self._config.hash):
            raise RuntimeError(f"expected card {MAGIC:#x} {self._config.hash:#x}, found {found[0]:#x} {found[1]:#x}")

    def _limits(self, settings: SessionSettings) -> None:
        self._write("SHADOW_MAX_SHARES", settings.max_shares)
        self._write("SHADOW_MAX_POSITION", settings.max_position)
        self._write("SHADOW_MAX_NOTIONAL", settings.max_notional)
        self._write("SHADOW_RATE_BURST", settings.rate_burst)
        self._write("SHADOW_RATE_INTERVAL", settings.rate_interval)
        self._write("LIMITS_COMMIT", self._read("LIMITS_GENERATION") + 1)

    # During

    def events(self) -> Iterator[tuple[EventKind, dict[str, int]]]:
        """What the card has reported since the last call."""
        words, cycles = self._card.take_event_words()
        for number in range(len(cycles)):
            value = int.from_bytes(words[8 * number : 8 * number + 8].tobytes(), "little")
            kind = EventKind(value & 0xF)
            yield kind, {field.name: field.take(value) for field in EVENTS[kind]}

    def reply(self, reply: Reply) -> None:
        for kind, shares in ((0, reply.filled), (1, reply.released)):
            if shares:
                self._write("REPLY", REGISTERS["REPLY"].pack(symbol=reply.symbol, side=reply.side, kind=kind))
                self._write("REPLY_SHARES", shares)
                self._write("REPLY_DOORBELL", 1)

    # After

    def finish(self) -> None:
        self._write("ARM", 0)

    def positions(self, symbols: int) -> tuple[list[int], int]:
        """Position of every symbol, and all shares that are still working."""
        positions, working = [], 0
        for symbol in range(symbols):
            self._write("POSITION_SYMBOL", symbol)
            while REGISTERS["POSITION_SYMBOL"].unpack(self._read("POSITION_SYMBOL"))["busy"]:
                pass
            value = self._read("POSITION")
            positions.append(value - (1 << 64) if value >> 63 else value)
            working += self._read("WORKING_BUY") + self._read("WORKING_SELL")
        return positions, working

    def counter(self, name: str, venue: int = 0) -> int:
        offset = COUNTERS[name].offset + venue * COUNTERS[name].venue_stride
        return self._card.read32(offset) | self._card.read32(offset + 4) << 32

    def drops(self) -> dict[str, int]:
        """Frames dropped, by reason, over all venues."""
        return {
            reason.name: sum(self.counter(f"DROP_{reason.name}", venue) for venue in range(self._config.venues))
            for reason in DropReason if reason
        }

    def expected(self, venue: int) -> int:
        """Sequence number that a venue's feed must send next."""
        return self._read("FEED_EXPECTED", venue)

    def _write(self, name: str, value: int, *index: int) -> None:
        register = REGISTERS[name]
        address = register.address(*index)
        self._card.write32(address, value & 0xFFFFFFFF)
        if register.bits > 32:
            self._card.write32(address + 4, value >> 32)

    def _read(self, name: str, *index: int) -> int:
        register = REGISTERS[name]
        address = register.address(*index)
        value = self._card.read32(address)
        return value | self._card.read32(address + 4) << 32 if register.bits > 32 else value
