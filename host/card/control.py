"""Everything the host does with a card, by name and with checks: what a daemon, a test or a notebook is written against."""

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import NamedTuple, Self

from host.card.addresses import OrderAddress, ip_number, mac_number, multicast_number, port_number, symbol_number
from host.card.definition import CardSizes, Register, UnknownRegisterError
from host.card.events import RECORD_WORDS, BookOrder, BookOrders, Event, decode
from host.card.fees import VenueFees
from host.card.identity import identify
from host.card.limit_writer import POLLS, LimitWriter
from host.card.limits import Limits, SymbolLimits
from host.card.orders import HostOrders
from host.card.protocol import Card, CardError
from host.card.registers import CARDS, COUNTERS, RECORD_BYTES, REGISTERS, RING_OFFSET, StaleReason
from host.card.replies import Replies
from host.card.sessions import Sessions
from host.card.snapshot import LiveOrder, Snapshot, best_first
from host.card.switches import Switches

MAX_AGE = (1 << 48) - 1
"""Clock cycles: no quote is ever too old."""

BUY, SELL = 0, 1

COUNTED = 1000
"""Cycles after which a counter shows what has happened, and a book has answered what it took: more than either takes on any card."""


class State(NamedTuple):
    """What the card allows itself."""

    armed: bool
    limits_valid: bool
    killed: bool
    fault: bool
    expired: bool
    """The host has been silent for too long."""
    day_level: int
    """Of the day's limit, reached: 1 for 50 %, 2 for 75, 3 for 85, 4 for 90, 5 for 95."""
    stale: tuple[bool, ...]
    """Per venue: its books may not be trusted."""
    busy: tuple[bool, ...]
    """Per venue: its book is still being cleared."""
    fast_cancels: bool = False
    """Cancels leave faster than the limits say that they should; it stops none."""
    repeated: bool = False  # a strategy is off for its many executions (``Switches.repeated``)
    tripped: bool = False
    """It has disarmed itself, and nobody has taken note of it yet (``Control.acknowledge``)."""


class Position(NamedTuple):
    """A symbol's exposure over all venues, in shares; a short position is negative."""

    position: int
    working_buy: int
    working_sell: int


class Control:
    """Typed access to a card that has been identified.

    Arguments are checked before anything is written: ValueError for a value that can't be meant, CardError where the card refuses.

    Parameters
    ----------
    card : Card
        Closed when a ``with`` block around the control ends.
    expected : str or None
        Configuration that it must be; None: any that the host knows.
    known : mapping of str to CardSizes
        The configurations that the host knows; by default the named ones.
    """

    def __init__(self, card: Card, expected: str | None = None, known: Mapping[str, CardSizes] = CARDS):
        self.card = card
        self.identity = identify(card, expected, known)
        self.sizes = self.identity.sizes
        self._read_index = self.read("EVENT_READ_INDEX")
        self.switches = Switches(self)
        self._limits = LimitWriter(self)
        self.orders = HostOrders(self)
        self.replies = Replies(self)
        self.sessions = Sessions(self)
        self._kept: list[Event] = []  # what else came while a snapshot was taken

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.card.close()

    # Registers by name

    def read(self, name: str, *index: int) -> int:
        """A register of any width; a wide one as it was at one instant."""
        register = _register(name)
        if register.access == "wo":
            raise UnknownRegisterError(f"register {name} can only be written")
        if register.bits <= 32:
            return self.card.read32(register.address(*index))
        low, high = self.card.read_words(register.address(*index), 2)
        value = low | high << 32
        return value - (1 << 64) if register.signed and value >> 63 else value

    def write(self, name: str, value: int, *index: int) -> None:
        """A register of any width; a wide one takes effect as a whole."""
        register = _register(name)
        if register.access == "ro":
            raise UnknownRegisterError(f"register {name} can only be read")
        if not 0 <= value < 1 << register.bits:
            raise ValueError(f"register {name} takes 0 to {(1 << register.bits) - 1}, not {value}")
        address = register.address(*index)
        self.card.write32(address, value & 0xFFFFFFFF)
        if register.bits > 32:
            self.card.write32(address + 4, value >> 32)

    # Arming

    def state(self) -> State:
        fields = REGISTERS["STATE"].unpack(self.read("STATE"))
        venues = range(self.sizes.venues)
        return State(
            bool(fields["armed"]), bool(fields["limits_valid"]), bool(fields["killed"]), bool(fields["fault"]), bool(fields["expired"]),
            fields["day_level"], stale=tuple(bool(fields["stale"] >> venue & 1) for venue in venues),
            busy=tuple(bool(fields["busy"] >> venue & 1) for venue in venues), tripped=bool(fields["tripped"]),
            fast_cancels=bool(fields["fast_cancels"]), repeated=bool(fields["repeated"]),
        )

    def arm(self) -> None:
        """Lets orders pass; the card refuses without limits, with the kill switch on, with a fault, or after a trip (``acknowledge``)."""
        self.write("ARM_UNLOCK", self.read("ARM_CHALLENGE") ^ 0xFFFF_FFFF)
        self.write("ARM", 1)
        state = self.state()
        if not state.armed:
            causes = {"no limits are committed": not state.limits_valid, "the kill switch is on": state.killed}
            causes |= {"it is faulty": state.fault, "it has heard no heartbeat": state.expired}
            causes |= {"it has tripped, which a person has to acknowledge": state.tripped}
            shown = ", ".join(cause for cause, is_so in causes.items() if is_so)
            raise CardError(f"the card did not arm: {shown or 'it shows no cause'}")

    def tripped(self) -> set[str]:
        """Why the card has disarmed itself: "dead_man", "fault"; empty if it has not, or if that has been acknowledged."""
        return {cause for cause, is_so in REGISTERS["TRIP"].unpack(self.read("TRIP")).items() if is_so}

    def acknowledge(self, causes: Collection[str]) -> None:
        """A person has seen why the card disarmed itself (``tripped``): these causes no longer keep it from being armed."""
        self.write("TRIP", REGISTERS["TRIP"].pack(**dict.fromkeys(causes, 1)))

    def disarm(self) -> None:
        self.write("ARM", 0)
        if self.state().armed:
            raise CardError("the card did not disarm")

    def kill(self) -> None:
        """Stops every new order, now. ``release`` and ``arm`` to go on."""
        self.write("KILL", 1)
        state = self.state()
        if state.armed or not state.killed:
            raise CardError("the kill switch did not take effect")

    def release(self) -> None:
        """Turns the kill switch off; the card stays disarmed."""
        self.write("KILL", 0)

    # Risk limits

    def set_limits(self, limits: Limits) -> int:
        """Puts all limits in force at once and returns their generation, as ``LimitWriter.set``."""
        return self._limits.set(limits)

    def limits(self) -> Limits | None:
        """The limits in force; None: nothing has been committed."""
        return self._limits.active()

    def set_symbol_limits(self, slot: int, limits: SymbolLimits) -> None:
        """Puts the limits of one symbol in force at once, beside those of all; ``SymbolLimits()`` limits nothing."""
        self._limits.set_symbol(slot, limits)

    def symbol_limits(self, slot: int) -> SymbolLimits:
        """The limits of one symbol, as the gateway has them."""
        return self._limits.of_symbol(slot)

    # Venues and symbols

    def set_feed(self, venue: int, ip: str, port: int, sequence: int = 1) -> None:
        """Makes a venue follow a feed from a sequence number on, with an empty book."""
        self.check_venue(venue)
        group, udp = multicast_number(ip), port_number(port)
        if not 1 <= sequence < 1 << 64:
            raise ValueError(f"sequence numbers are 1 to 2^64 - 1, not {sequence}")
        self.check_disarmed("change a feed")
        self.write("FEED_IP", group, venue)
        self.write("FEED_PORT", udp, venue)
        self.resync(venue, sequence)

    def resync(self, venue: int, sequence: int) -> None:
        """Starts a venue afresh at a sequence number: empty book, no longer stale; returns when it is ready."""
        self.check_venue(venue)
        self._start("RESYNC", venue, sequence)

    def _start(self, how: str, venue: int, sequence: int) -> None:
        self.write("FEED_SEQUENCE", sequence, venue)
        self.write(how, 1 << venue)
        for _ in range(POLLS):
            if not self.state().busy[venue]:
                return
        raise CardError(f"venue {venue} is still busy clearing its book after {POLLS} looks")

    def set_order_address(self, venue: int, address: OrderAddress) -> None:
        """Where a venue's orders go."""
        self.check_venue(venue)
        numbers = {
            "destination_mac": mac_number(address.destination_mac), "source_mac": mac_number(address.source_mac),
            "destination_ip": ip_number(address.destination_ip), "source_ip": ip_number(address.source_ip),
            "destination_port": port_number(address.destination_port), "source_port": port_number(address.source_port),
        }
        self.check_disarmed("change an order address")
        for name, value in numbers.items():
            self.write(f"ORDER_{name.upper()}", value, venue)

    def set_user_ref(self, venue: int, number: int) -> None:
        """UserRefNum that the venue's next order carries."""
        self.check_venue(venue)
        self.write("USER_REF", number, venue)

    def bind_symbol(self, venue: int, slot: int, locate: int, name: str) -> None:
        """Lets a slot follow an instrument of a venue; the name is the slot's on all venues."""
        self.check_venue(venue)
        self.check_slot(slot)
        if not 0 <= locate < 1 << 16:
            raise ValueError(f"a stock locate is 0 to 65535, not {locate}")
        text = symbol_number(name)
        self.check_disarmed("bind a symbol")
        binding = REGISTERS["BINDING"].pack(locate=locate, enable=1)
        for other in range(self.sizes.symbols):
            if other != slot and self.read("BINDING", venue, other) == binding:
                raise ValueError(f"locate {locate} of venue {venue} is bound to slot {other} already")
        self.write("NAME", text, slot)
        self.write("BINDING", binding, venue, slot)

    def unbind_symbol(self, venue: int, slot: int) -> None:
        self.check_venue(venue)
        self.check_slot(slot)
        self.check_disarmed("unbind a symbol")
        self.write("BINDING", 0, venue, slot)

    def name_symbol(self, slot: int, name: str) -> None:
        """Names a slot, for orders and for directories; what a directory has bound it to is forgotten."""
        self.check_slot(slot)
        text = symbol_number(name)
        self.check_disarmed("name a symbol")
        self.write("NAME", text, slot)

    def follow_directory(self, venue: int, follow: bool = True) -> None:
        """Lets the venue's directory bind the slots that have a name and no binding of the host's."""
        self.check_venue(venue)
        self.check_disarmed("follow a directory")
        self.write("DIRECTORY", int(follow), venue)

    def bound_by_name(self, venue: int) -> set[int]:
        """Slots that the venue's directory has bound."""
        self.check_venue(venue)
        return self._read_slots("BOUND", venue)

    def assume_trading(self, venue: int, symbols: Collection[int]) -> None:
        """These slots trade until the venue says otherwise, all others are halted until it says that they trade; after a RESYNC again."""
        self.check_venue(venue)
        self.write_slots("ASSUME_TRADING", symbols, venue)

    def halted(self, venue: int) -> set[int]:
        """Slots whose symbol the venue does not trade, or of which it has not said so."""
        self.check_venue(venue)
        return self._read_slots("HALTED", venue)

    # Trading

    def set_arbitrage(self, *, min_profit: int, max_shares: int, cooldown: int, symbols: Collection[int], min_shares: int = 0) -> None:
        """Settings of the detector (1/10000 per share after fees, shares, clock cycles) and the slots that it may trade."""
        for slot in symbols:
            self.check_slot(slot)
        self.write_slots("ARB_ENABLE", ())
        self.write("ARB_COOLDOWN", cooldown)
        for slot in symbols:
            self.set_arbitrage_limits(slot, min_profit=min_profit, min_shares=min_shares, max_shares=max_shares)
        self.write_slots("ARB_ENABLE", symbols)

    def set_arbitrage_limits(self, slot: int, *, min_profit: int, min_shares: int, max_shares: int) -> None:
        """What is an opportunity for one symbol; takes effect at once."""
        self.check_slot(slot)
        self.write("ARB_MIN_PROFIT", min_profit)
        self.write("ARB_MIN_SHARES", min_shares)
        self.write("ARB_MAX_SHARES", max_shares)
        self.write("ARB_COMMIT", slot)

    def set_arbitrage_venue(self, venue: int, *, fees: VenueFees | None = None, max_age: int = MAX_AGE, direct: bool = False) -> None:
        """Lets the detector buy and sell at a venue.

        Parameters
        ----------
        fees : VenueFees
            None: there are none.
        max_age : int
            Clock cycles after which a quote is none; by default it never is.
        direct : bool
            Its quotes come from the host (``quote``); what its feed says is not heard.
        """
        self.check_venue(venue)
        share_fee, rate = (fees or VenueFees()).taker.registers()
        self.check_disarmed("change a venue of the arbitrage")
        for name, value in (("ARB_SHARE_FEE", share_fee), ("ARB_FEE_RATE", rate), ("ARB_MAX_AGE", max_age)):
            self.write(name, value, venue)
        for name, on in (("ARB_DIRECT", direct), ("ARB_VENUES", True)):
            self.write(name, self.read(name) & ~(1 << venue) | on << venue)

    def quote(self, venue: int, symbol: int, *, bid: tuple[int, int], ask: tuple[int, int], time: int | None = None) -> None:
        """Best bid and ask (price in 1/10000, shares; price 0: none) of a direct venue, as of a time of the card, by default now."""
        self.check_venue(venue)
        self.check_slot(symbol)
        most = (1 << self.sizes.price_bits) - 1, (1 << 32) - 1
        for side in (bid, ask):
            if not all(0 <= value <= limit for value, limit in zip(side, most, strict=True)):
                raise ValueError(f"price and shares of a quote are 0 to {most[0]} and to {most[1]}, not {side[0]} and {side[1]}")
        if bid[0] > ask[0] > 0:
            raise ValueError(f"the bid {bid[0]} is above the ask {ask[0]}")
        refused = self.counter("QUOTES_REFUSED")
        self.write("QUOTE", REGISTERS["QUOTE"].pack(venue=venue, symbol=symbol))
        for name, value in (("BID_PRICE", bid[0]), ("BID_SHARES", bid[1]), ("ASK_PRICE", ask[0]), ("ASK_SHARES", ask[1])):
            self.write(f"QUOTE_{name}", value)
        self.write("QUOTE_TIME", (self.time() if time is None else time) % (1 << 48))
        self.write("QUOTE_DOORBELL", 1)
        if self.counter("QUOTES_REFUSED") != refused:
            raise CardError(f"the card refused a quote for venue {venue}: is it a direct one, and is {time} not to come?")

    def send_order(self, *, venue: int, symbol: int, side: int, shares: int, price: int, day: bool = False) -> None:
        """A new order of the host, as ``HostOrders.send``."""
        self.orders.send(venue=venue, symbol=symbol, side=side, shares=shares, price=price, day=day)

    def position(self, symbol: int) -> Position:
        self.check_slot(symbol)
        self.write("POSITION_SYMBOL", symbol)
        self._wait_for("POSITION_SYMBOL", f"answer for the position of symbol {symbol}")
        return Position(self.read("POSITION"), self.read("WORKING_BUY"), self.read("WORKING_SELL"))

    def look(self, venue: int, symbol: int) -> None:
        """Has the card tell the best ten levels of either side, all as after one event: 20 ``BookLevel`` events, there on return."""
        self.check_venue(venue)
        self.check_slot(symbol)
        self.write("LOOK", REGISTERS["LOOK"].pack(venue=venue, symbol=symbol))
        self._wait_for("LOOK", f"tell the levels of symbol {symbol} at venue {venue}")

    def snapshot(self, venue: int) -> Snapshot:
        """All orders of a venue's book. Other events that come meanwhile are kept for ``drain_events``."""
        self.check_venue(venue)
        register, orders = REGISTERS["LOOK"], list[BookOrder]()
        if register.unpack(self.read("LOOK"))["busy"]:
            raise CardError("the card is still telling what it was asked for before")
        self.write("LOOK", register.pack(venue=venue, orders=1))
        looks = 0
        while looks < POLLS:
            looks += 1
            for event in self._take_events(self.sizes.events):
                looks = 0
                if isinstance(event, BookOrder):
                    orders.append(event)
                elif not isinstance(event, BookOrders):
                    self._kept.append(event)
                elif event.count != len(orders):
                    raise CardError(f"of {event.count} orders of venue {venue} {len(orders)} have come")
                else:
                    live = (LiveOrder(order.reference, order.symbol, order.side, order.price, order.shares) for order in orders)
                    return Snapshot(tuple(live), tuple(order.sequence for order in orders), event.since, event.sequence)
        raise CardError(f"the card does not tell the orders of venue {venue}")

    def restore(self, venue: int, orders: Collection[LiveOrder], next_sequence: int) -> None:
        """Starts a venue with the live orders of its book, from which its feed goes on with message ``next_sequence``.

        What the feed brings meanwhile waits on the card, as far as the lines' buffers go, and trading states are forgotten, as after
        ``resync``. On an error the venue stays stale, and waits, until it is restored or resynchronised.
        """
        self.check_venue(venue)
        ordered = best_first(orders, self.sizes, next_sequence)
        troubles = ("DUPLICATE_REFERENCES", "STORE_FULL", "LEVELS_FULL", "BAD_EVENTS", "LEVEL_OVERFLOWS", "RESTORE_REFUSED")
        before = self._settled(troubles, venue)
        self._start("RESTORE", venue, next_sequence)
        register = REGISTERS["RESTORE_ORDER"]
        for order in ordered:
            self.write("RESTORE_REFERENCE", order.reference)
            self.write("RESTORE_SHARES", order.shares)
            self.write("RESTORE_PRICE", order.price)
            self.write("RESTORE_ORDER", register.pack(venue=venue, symbol=order.symbol, side=order.side))
            self._wait_for("RESTORE_ORDER", f"take an order for the book of venue {venue}")
        after = self._settled(troubles, venue)
        if failed := [name for name in after if after[name] != before[name]]:
            raise CardError(f"the book of venue {venue} does not hold these orders ({', '.join(failed)}): it stays stale")
        self.write("RESTORE_DONE", 1 << venue)
        for _ in range(POLLS):
            if self.read("STALE_REASON", venue) != StaleReason.RESTORE:
                return
        raise CardError(f"venue {venue} does not go on with its feed")

    def clear_positions(self) -> None:
        """Positions, working orders and the day's notional become 0."""
        self.check_disarmed("clear positions")
        self.write("CLEAR_POSITIONS", 1)

    # What happened

    def time(self) -> int:
        """Clock cycles since the card's reset."""
        return self.read("TIME")

    def counter(self, name: str, venue: int = 0) -> int:
        counter = COUNTERS.get(name)
        if counter is None:
            raise UnknownRegisterError(f"the card has no counter {name!r}")
        if not 0 <= venue < (self.sizes.venues if counter.venue_stride else 1):
            raise UnknownRegisterError(f"counter {name} is not there for venue {venue}")
        low, high = self.card.read_words(counter.offset + venue * counter.venue_stride, 2)
        return low | high << 32

    def counters(self) -> dict[str, tuple[int, ...]]:
        """All counters: one number per venue, or a single one."""
        return {
            name: tuple(self.counter(name, venue) for venue in range(self.sizes.venues if counter.venue_stride else 1))
            for name, counter in COUNTERS.items()
        }

    def drain_events(self, most: int | None = None) -> list[Event]:
        """The oldest events that have not been taken, at most ``most``; their places in the ring are free again."""
        kept, self._kept = self._kept[:most], self._kept[len(self._kept) if most is None else most:]
        return kept + self._take_events(None if most is None else most - len(kept))

    def _take_events(self, most: int | None) -> list[Event]:
        events, read = self.sizes.events, self._read_index
        waiting = (self.read("EVENT_WRITE_INDEX") - read) % (1 << 32)
        if waiting > events:
            raise CardError(f"the event ring says that {waiting} of its {events} records wait: has the card been reset?")
        count = waiting if most is None else min(most, waiting)
        place = read % events
        first = min(count, events - place)
        words = self.card.read_words(RING_OFFSET + RECORD_BYTES * place, RECORD_WORDS * first)
        words += self.card.read_words(RING_OFFSET, RECORD_WORDS * (count - first))
        taken = [decode(words[at:at + RECORD_WORDS]) for at in range(0, len(words), RECORD_WORDS)]
        self._read_index = (read + count) % (1 << 32)
        self.write("EVENT_READ_INDEX", self._read_index)
        return taken

    def _settled(self, names: Collection[str], venue: int) -> dict[str, int]:
        """Counters, of the venue where they are of venues, with all that has happened until now."""
        start, polls = self.time(), 0
        while self.time() - start < COUNTED and polls < POLLS:
            polls += 1
        return {name: self.counter(name, venue if COUNTERS[name].venue_stride else 0) for name in names}

    def _wait_for(self, name: str, act: str) -> None:
        """Until the register is no longer busy."""
        for _ in range(POLLS):
            if not REGISTERS[name].unpack(self.read(name))["busy"]:
                return
        raise CardError(f"the card does not {act}")

    # Checks

    def check_venue(self, venue: int) -> None:
        if not 0 <= venue < self.sizes.venues:
            raise ValueError(f"this card ({self.identity.configuration}) has venues 0 to {self.sizes.venues - 1}, not {venue}")

    def _read_slots(self, name: str, *index: int) -> set[int]:
        """The slots whose bit is set in a register of one bit a slot."""
        return {slot for slot in range(self.sizes.symbols) if self.read(name, *index, slot // 32) >> slot % 32 & 1}

    def write_slots(self, name: str, symbols: Collection[int], *index: int) -> None:
        """A register of one bit a slot, 32 to a word."""
        for slot in symbols:
            self.check_slot(slot)
        for word in range(-(-self.sizes.symbols // 32)):
            self.write(name, sum(1 << slot % 32 for slot in set(symbols) if slot // 32 == word), *index, word)

    def check_slot(self, slot: int) -> None:
        if not 0 <= slot < self.sizes.symbols:
            raise ValueError(f"this card ({self.identity.configuration}) has symbol slots 0 to {self.sizes.symbols - 1}, not {slot}")

    def check_disarmed(self, act: str) -> None:
        if self.state().armed:
            raise CardError(f"the card is armed: disarm it to {act}")


def _register(name: str) -> Register:
    register = REGISTERS.get(name)
    if register is None:
        raise UnknownRegisterError(f"the card has no register {name!r}")
    return register
