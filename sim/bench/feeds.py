"""What a simulated venue sends: a random market's messages in frames, and everything that can go wrong with them."""

from itertools import islice

from sim.bench.words import frame_words
from sim.flow import itch
from sim.golden.ethernet import HEADERS, build_udp
from sim.golden.moldudp64 import pack_end_of_session, pack_packet, unpack_blocks, unpack_header

PORT = 26_477
RECOVERY_PORT = 30_000


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
    locate : int
        Of a symbol that the card follows.

    Attributes
    ----------
    sequence : int
        Number of the next message.
    kinds : dict of int to str
        Type of each message by its number.
    transmit : callable(frame, error)
        Where frames go: to the source, unless somebody takes them from here.
    """

    def __init__(self, rng, venue: int, source, messages, locate: int = 0):
        self.rng, self.venue, self.source, self.sequence, self.locate = rng, venue, source, 1, locate
        self.session = b"TRAPJAW%03d" % venue
        self.transmit = lambda frame, error: source.send(*frame_words(rng, frame, error=error))
        self.kinds = {}
        self._messages, self._old = iter(messages), []

    def packet(self, count: int) -> bytes:
        """The next messages in one packet."""
        return self.packet_of(list(islice(self._messages, count)))

    def packet_of(self, messages: list[bytes]) -> bytes:
        """Any messages in one packet, with the next numbers."""
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
        self.transmit(frame, error)

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
        packet = self.packet(rng.randint(1, 4))
        whole = self.frame(packet)
        spot = rng.randrange(len(whole))
        rng.choice([
            lambda: self.send(self.frame(packet[:rng.randrange(1, len(packet))])),
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

    def malformed(self) -> None:
        """A message that can't be what it says it is, in a frame that is otherwise good."""
        bad = self.rng.choice([b"D" + bytes(19), itch.add(1, self.locate, "ANTS", 5, "X", 1, 1), b"U" + bytes(30) + b"\xff" * 4])
        self.send(self.frame(self.packet_of([*islice(self._messages, 2), bad])))

    def status(self, name: str, slot: int, state: str, *, operational: bool = False) -> None:
        """The venue says of a symbol whether it trades: in its own frame, or behind other messages."""
        tell = itch.operational_halt if operational else itch.trading_action
        before = list(islice(self._messages, self.rng.randrange(3)))
        self.send(self.frame(self.packet_of([*before, tell(1, self.locate + slot, name, state)])))

    def overlapping(self) -> None:
        """A packet that begins with messages of the one before."""
        first, messages = self.sequence, list(islice(self._messages, 4))
        self.send(self.frame(self.packet_of(messages[:3])))
        last = self.packet_of(messages[3:])
        assert self.sequence == first + 4
        self.send(self.frame(pack_packet(self.session, first + 1, messages[1:])))
        self._old = [*self._old[-4:], last]

    def heartbeat(self) -> None:
        self.send(self.frame(pack_packet(self.session, self.sequence, [])))

    def deletes(self, count: int) -> None:
        """A full frame of deletes of orders that nobody has, of a symbol that the card follows."""
        self.send(self.frame(self.packet_of([itch.delete(1, self.locate, self.rng.getrandbits(62)) for _ in range(count)])))

    def lose(self, count: int) -> None:
        """Messages that never come: the next frame reveals it."""
        self.packet(count)

    def end(self) -> None:
        self.send(self.frame(pack_end_of_session(self.session, self.sequence)))


class LossyLines:
    """Sends a feed's frames on both lines of its venue, and loses some of either; has every message sent again that is asked for.

    Parameters
    ----------
    feed : Feed
        Its frames come here from now on.
    other : Source
        Of the card's port of line B.

    Attributes
    ----------
    losing : bool
        Frames get lost.
    lost : dict of str to int
        Frames that line A, line B and both have lost.
    """

    def __init__(self, rng, feed, other):
        self._rng, self._feed, self._other = rng, feed, other
        self._messages = {}
        self.losing, self.lost = True, {"a": 0, "b": 0, "both": 0}
        feed.transmit = self._send

    def _send(self, frame, error):
        header = unpack_header(frame[HEADERS:])
        self._messages |= dict(enumerate(unpack_blocks(frame[HEADERS:]), header.sequence))
        fate = self._rng.choices(["", "a", "b", "both"], (16, 3, 3, 1))[0] if self.losing else ""
        if fate:
            self.lost[fate] += 1
        for line, source in (("a", self._feed.source), ("b", self._other)):
            if fate not in (line, "both"):
                source.send(*frame_words(self._rng, frame, error=error))

    def send_again(self, first: int, count: int, most: int) -> None:
        """Retransmitted packets with these messages, of at most so many each, on the port of line A."""
        end = first + count
        while first < end:
            count = min(self._rng.randint(1, most), end - first)
            packet = pack_packet(self._feed.session, first, [self._messages[first + number] for number in range(count)])
            frame = build_udp(packet, destination_ip=group(self._feed.venue), destination_port=RECOVERY_PORT + self._feed.venue)
            self._feed.source.send(*frame_words(self._rng, frame))
            first += count


class Crossing:
    """Small books at one venue around prices that wander on their own, so that two venues cross each other often.

    Parameters
    ----------
    symbols : list of str
        Their locate is ``first`` and on.
    most : int
        Live orders of a symbol.
    """

    TICK = 100

    def __init__(self, rng, symbols, *, first, most=8):
        self.rng, self.symbols, self.first, self.most = rng, symbols, first, most
        self.middle, self.live = [10_000] * len(symbols), [{} for _ in symbols]
        self.reference, self.time = rng.randrange(1, 1 << 40), 34_200_000_000_000

    def __iter__(self):
        while True:
            yield self.message()

    def message(self) -> bytes:
        rng = self.rng
        self.time += rng.randrange(1, 10_000)
        slot = rng.randrange(len(self.symbols))
        locate, live = self.first + slot, self.live[slot]
        if rng.random() < 0.1:
            self.middle[slot] = 10_000 + rng.randint(-6, 6)
        if rng.random() < 0.1:
            return self._other(locate, self.symbols[slot])
        if not live or (len(live) < self.most and rng.random() < 0.45):
            side, shares = rng.choice("BS"), self._shares()
            self.reference += rng.choice([1, 2, 64])
            price, maker = self._price(slot, side), rng.choice(["", "", "VIRT"])
            live[self.reference] = side, shares, price
            return itch.add(self.time, locate, self.symbols[slot], self.reference, side, shares, price, maker)
        return self._change(slot, locate, live)

    def _change(self, slot, locate, live):
        rng = self.rng
        best = [choose(side_orders, key=lambda order: order[1]) for choose, side_orders in (
            (max, [(reference, price) for reference, (side, _, price) in live.items() if side == "B"]),
            (min, [(reference, price) for reference, (side, _, price) in live.items() if side == "S"])) if side_orders]
        reference = rng.choice(best)[0] if rng.random() < 0.8 else rng.choice(list(live))
        side, shares, price = live[reference]
        kind = rng.choice("EEECXDDDUU")
        if kind == "D":
            del live[reference]
            return itch.delete(self.time, locate, reference)
        if kind == "U":
            del live[reference]
            self.reference += 1
            shares, price = self._shares(), self._price(slot, side)
            live[self.reference] = side, shares, price
            return itch.replace(self.time, locate, reference, self.reference, shares, price)
        taken = rng.choice([shares, rng.randint(1, shares)])
        live[reference] = side, shares - taken, price
        if taken == shares:
            del live[reference]
        if kind == "X":
            return itch.cancel(self.time, locate, reference, taken)
        if kind == "C":
            return itch.executed_with_price(self.time, locate, reference, taken, rng.getrandbits(40), 7)
        return itch.executed(self.time, locate, reference, taken, rng.getrandbits(40))

    def _other(self, locate, name):
        """What changes no book, or names an order that nobody has, or a symbol that nobody follows."""
        rng, time = self.rng, self.time
        return rng.choice([
            lambda: itch.trade(time, locate, name, 100, 5, 9), lambda: itch.system_event(time, "Q"),
            lambda: itch.stock_directory(time, locate, name), lambda: itch.trading_action(time, locate, name, "T"),
            lambda: itch.delete(time, locate, rng.getrandbits(60)), lambda: itch.executed(time, locate, rng.getrandbits(60), 5, 6),
            lambda: itch.add(time, 60_000, "NOBODY", rng.getrandbits(60), "B", 1, 1), lambda: b"L" + bytes(25),
        ])()

    def _price(self, slot, side):
        """Near the middle, and nearly always outside of the other side of the venue's own book."""
        away = self.TICK * self.rng.choice([1, 1, 2, 3, 4])
        price = self.TICK * self.middle[slot] + (away if side == "S" else -away)
        others = [price for other, _, price in self.live[slot].values() if other != side]
        if not others or self.rng.random() < 0.02:
            return price
        return max(price, max(others) + self.TICK) if side == "S" else min(price, min(others) - self.TICK)

    def _shares(self):
        return self.rng.choice([100, 200, self.rng.randint(1, 900)])


class Pulsing:
    """An opportunity with every other message: one venue rests an offer, the other bids for it and withdraws, symbol by symbol."""

    def __init__(self, rng, symbols, *, first, bids):
        self.rng, self.symbols, self.first, self.bids = rng, symbols, first, bids

    def __iter__(self):
        time, reference, price = 34_200_000_000_000, 1_000, 1_000_000
        for slot, name in enumerate(self.symbols):
            yield itch.add(time, self.first + slot, name, 10 + slot, "B" if self.bids else "S", 1_000_000, price - 1_000 * self.bids)
        while True:
            reference += 1
            time += 1_000
            slot = self.rng.randrange(len(self.symbols))
            locate, name = self.first + slot, self.symbols[slot]
            if self.bids:
                yield itch.add(time, locate, name, reference, "B", self.rng.randint(1, 300), price + 100)
                yield itch.delete(time, locate, reference)
            else:
                yield itch.trade(time, locate, name, 100, price, reference)


def pulsing(rng, venues: int, symbols: int):
    """As :func:`crossing`, with an opportunity in every other message of all venues but the first."""
    names, locates, _ = crossing(rng, venues, symbols)
    return names, locates, [Pulsing(rng, names, first=locates[venue][0], bids=venue > 0) for venue in range(venues)]


def crossing(rng, venues: int, symbols: int):
    """Names, bindings by venue, and an endless flow of messages by venue."""
    names = ["ANTS", "BEES", "MOTH", "WASP"][:symbols]
    firsts = [rng.randrange(1, 50_000) for _ in range(venues)]
    locates = [[first + slot for slot in range(len(names))] for first in firsts]
    return names, locates, [Crossing(rng, names, first=first) for first in firsts]
