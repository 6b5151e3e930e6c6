"""What a simulated venue sends: a seeded market's messages in frames, and everything that can go wrong with them."""

from itertools import islice

from sim.bench.words import frame_words
from sim.flow.market import INSTRUMENTS, Market, MarketSettings
from sim.golden.ethernet import build_udp
from sim.golden.moldudp64 import pack_end_of_session, pack_packet

PORT = 26_477


def group(venue: int) -> int:
    """The multicast group of a venue."""
    return 0xE9360C6F + venue


class Feed:
    """One venue's line.

    Parameters
    ----------
    source : Source
        Of the card's feed port.
    messages : iterable of bytes

    Attributes
    ----------
    sequence : int
        Number of the next message.
    kinds : dict of int to str
        Type of each message by its number.
    """

    def __init__(self, rng, venue: int, source, messages):
        self.rng, self.venue, self.source, self.sequence = rng, venue, source, 1
        self.session = b"TRAPJAW%03d" % venue
        self.kinds = {}
        self._messages, self._old = iter(messages), []

    def packet(self, count: int) -> bytes:
        """The next messages in one packet."""
        messages = list(islice(self._messages, count))
        packet = pack_packet(self.session, self.sequence, messages)
        self.kinds |= {self.sequence + number: chr(message[0]) for number, message in enumerate(messages)}
        self.sequence += len(messages)
        self._old = [*self._old[-4:], packet]
        return packet

    def frame(self, payload: bytes) -> bytes:
        return build_udp(
            payload, destination_ip=group(self.venue), destination_port=PORT + self.venue, udp_checksum=self.rng.random() < 0.7,
            source_ip=self.rng.getrandbits(32), identification=self.rng.getrandbits(16))

    def send(self, frame: bytes, *, error: bool = False) -> None:
        self.source.send(*frame_words(self.rng, frame, error=error))

    def good(self, count: int | None = None) -> None:
        """A frame with the next messages."""
        self.send(self.frame(self.packet(self.rng.choice([1, 1, 1, 2, 3, 8]) if count is None else count)))

    def harmless(self) -> None:
        """A frame that changes nothing: what was sent before, a heartbeat, something for others."""
        rng = self.rng
        rng.choice([
            lambda: self.send(self.frame(rng.choice(self._old or [pack_packet(self.session, self.sequence, [])]))),
            lambda: self.send(self.frame(pack_packet(self.session, self.sequence, []))),
            lambda: self.send(build_udp(rng.randbytes(30), destination_ip=group(9), destination_port=PORT)),
            lambda: self.send(rng.randbytes(rng.randrange(1, 100))),
            lambda: self.send(self.frame(pack_packet(b"OTHERDAY  ", self.sequence, [b"S" * 12]))),
        ])()

    def spoiled(self) -> None:
        """A frame with a fault, and then the same one whole: nothing may be lost, and nothing taken twice."""
        rng = self.rng
        whole = self.frame(self.packet(rng.randint(1, 4)))
        spot = rng.randrange(len(whole))
        rng.choice([
            lambda: self.send(whole, error=True),
            lambda: self.send(whole[:rng.randrange(1, len(whole))]),
            lambda: self.send(whole[:spot] + bytes([whole[spot] ^ 1 << rng.randrange(8)]) + whole[spot + 1:], error=True),
        ])()
        self.send(whole)

    def corrupted(self) -> None:
        """A frame in which any byte is wrong, and no FCS that would tell: checksums and framing find it, or nobody can."""
        whole = self.frame(self.packet(self.rng.randint(1, 4)))
        spot = self.rng.randrange(len(whole))
        self.send(whole[:spot] + bytes([whole[spot] ^ 1 << self.rng.randrange(8)]) + whole[spot + 1:])

    def lose(self, count: int) -> None:
        """Messages that never come: the next frame reveals it."""
        self.packet(count)

    def end(self) -> None:
        self.send(self.frame(pack_end_of_session(self.session, self.sequence)))


def markets(rng, venues: int, symbols: int):
    """The settings of a market that fits the smallest card, its bindings by venue, and an endless flow by venue."""
    settings = MarketSettings(
        seed=rng.getrandbits(32), venues=venues, instruments=INSTRUMENTS[:symbols], orders=6, levels=4,
        news_interval=40_000, quiet_gap=20_000)
    market = Market(settings)
    locates = [[listing.locate for listing in listings] for listings in market.listings]
    flow, held = market.messages(), [[] for _ in range(venues)]

    def messages(venue):
        while True:
            while not held[venue]:
                message = next(flow)
                held[message.venue].append(message.data)
            yield held[venue].pop(0)

    return settings, locates, [messages(venue) for venue in range(venues)]
