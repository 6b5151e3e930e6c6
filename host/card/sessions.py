"""The card's order sessions with venues, over TCP (docs/order_entry.md): opened, watched and closed by the host."""

import json
import secrets
from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple, Protocol

from host.card.addresses import OrderAddress, ip_number
from host.card.events import OrderSent, VenueMessage
from host.card.protocol import CardError
from host.card.registers import REGISTERS, DownReason, Fate

STATES = ("closed", "SYN sent", "established", "FIN wait 1", "FIN wait 2", "closing", "last ACK", "time wait")
CLOSED = 0
TICK_CYCLES = 1 << 16
"""0.4 ms at 156.25 MHz: times of up to 27 seconds."""
POLLS = 1_000_000
MOST_MESSAGES = 10**10 - 1
"""Of a day, as far as the registers can ask for them."""


class Times(NamedTuple):
    """Of a session, in ticks."""

    timeout: int = 25
    """Without an acknowledgment, until it sends again."""
    keep_alive: int = 12_000
    tries: int = 8
    heartbeat: int = 2_000
    """SoupBinTCP wants something said every second."""
    silence: int = 36_000


class Login(NamedTuple):
    """Who logs in. A session of "" is whatever the venue has."""

    user: str
    password: str
    session: str = ""


class SessionState(NamedTuple):
    """What the card shows of a session."""

    state: str
    """One of STATES."""
    up: bool
    """Logged in: orders leave."""
    reason: DownReason
    """Why it went down since it was opened; NONE: it did not."""
    login_reason: str
    """Why the venue rejected the login, in SoupBinTCP's letters."""


class Registers(Protocol):
    """What of a card's control the sessions need."""

    def read(self, name: str, *index: int) -> int: ...

    def write(self, name: str, value: int, *index: int) -> None: ...

    def check_venue(self, venue: int) -> None: ...

    def check_disarmed(self, purpose: str) -> None: ...

    def set_order_address(self, venue: int, address: OrderAddress) -> None: ...


class Sessions:
    """Order sessions of a card that has them."""

    def __init__(self, control: Registers):
        self._control = control

    def use(self, venues: Collection[int], *, tick_cycles: int = TICK_CYCLES) -> None:
        """To these venues orders go by sessions, to all others in datagrams; only while disarmed."""
        for venue in venues:
            self._control.check_venue(venue)
        if not 2 <= tick_cycles <= 1 << 24:
            raise ValueError(f"a tick has 2 to {1 << 24} cycles, not {tick_cycles}")
        if not self._control.read("CONFIG_SESSIONS"):
            raise CardError("this card has no order sessions: orders leave it in datagrams only")
        self._control.check_disarmed("choose who takes orders by sessions")
        self._control.write("SESSION_TICK", tick_cycles - 1)
        self._control.write("SESSION_VENUES", sum(1 << venue for venue in set(venues)))

    def resolve(self, venue: int, ip: str) -> str:
        """The Ethernet address of the venue, or of the router to it, asked on the port of the orders."""
        self.ask(venue, ip)
        for _ in range(POLLS):
            if (mac := self.answer(venue)) is not None:
                return mac
        raise CardError(f"{IPv4Address(ip_number(ip))} does not say its Ethernet address")

    def ask(self, venue: int, ip: str) -> None:
        """Asks the same without waiting for the answer."""
        self._control.check_venue(venue)
        self._control.write("SESSION_NEXT_HOP", ip_number(ip), venue)
        self._command(venue, ask=1)

    def answer(self, venue: int) -> str | None:
        """What came since then."""
        if not REGISTERS["SESSION_STATE"].unpack(self._control.read("SESSION_STATE", venue))["known"]:
            return None
        return self._control.read("SESSION_HOP_MAC", venue).to_bytes(6, "big").hex(":")

    def set_up(self, venue: int, address: OrderAddress, times: Times | None = None) -> None:
        """Addresses and times; while the session is closed."""
        if self.state(venue).state != STATES[CLOSED]:
            raise CardError(f"the session with venue {venue} is {self.state(venue).state}: its address can't change")
        self._control.set_order_address(venue, address)
        for name, value in (times or Times())._asdict().items():
            self._control.write(f"SESSION_{name.upper()}", value, venue)

    def open(self, venue: int, login: Login, *, number: int = 1, initial_sequence: int | None = None) -> None:
        """Connects and logs in; ``state`` tells what comes of it.

        Parameters
        ----------
        number : int
            Next message wanted: 1 is the day's first, after a loss it is ``number`` of the card; 0: only what is new.
        initial_sequence : int or None
            Of TCP; None: one that nobody can guess.
        """
        self._control.check_venue(venue)
        if not 0 <= number <= MOST_MESSAGES:
            raise ValueError(f"a message's number is 0 to {MOST_MESSAGES}, not {number}")
        wanted = f"{number:>10}"
        texts = {
            "USER": (f"{login.user:<6}", 6), "PASSWORD": (f"{login.password:<10}"[:8], 8), "PASSWORD_END": (f"{login.password:<10}"[8:], 2),
            "NAME": (f"{login.session:>10}"[:8], 8), "NAME_END": (f"{login.session:>10}"[8:], 2),
            "WANTED": (wanted[2:], 8), "WANTED_HIGH": (wanted[:2], 2),
        }
        for name, (text, length) in texts.items():
            if len(text) != length or not text.isascii():
                raise ValueError(f"{name} of the login does not fit: {text!r}")
        for name, (text, _) in texts.items():
            self._control.write(f"SESSION_{name}", int.from_bytes(text.encode(), "little"), venue)
        sequence = secrets.randbits(32) if initial_sequence is None else initial_sequence
        self._control.write("SESSION_INITIAL_SEQUENCE", sequence, venue)
        self._command(venue, open=1)

    def logout(self, venue: int) -> None:
        """Asks the venue for the end, which closes the connection."""
        self._command(venue, logout=1)

    def close(self, venue: int) -> None:
        self._command(venue, close=1)

    def cut(self, venue: int) -> None:
        """Ends the connection at once, without waiting for anything."""
        self._command(venue, cut=1)

    def state(self, venue: int) -> SessionState:
        self._control.check_venue(venue)
        fields = REGISTERS["SESSION_STATE"].unpack(self._control.read("SESSION_STATE", venue))
        letter = chr(fields["login_reason"]) if fields["reason"] == DownReason.LOGIN_REJECTED else ""
        return SessionState(STATES[fields["state"]], bool(fields["up"]), DownReason(fields["reason"]), letter)

    def number(self, venue: int) -> int:
        """Of the venue's next message; the low 32 bits."""
        return self._control.read("SESSION_NUMBER", venue)

    def name(self, venue: int) -> str:
        """Of the session that the venue has told."""
        parts = (("SESSION_TOLD_NAME", 8), ("SESSION_TOLD_NAME_END", 2))
        told = b"".join(self._control.read(name, venue).to_bytes(length, "little") for name, length in parts)
        return told.decode("latin-1").strip()

    def _command(self, venue: int, **fields: int) -> None:
        self._control.check_venue(venue)
        self._control.write("SESSION_COMMAND", REGISTERS["SESSION_COMMAND"].pack(**fields), venue)


class Unanswered:
    """Orders of which their venues have said nothing yet. Those of them that a loss of the session has kept from the venue stay here for
    ever: when the venue has told all that it had to tell after the next login, they are to be forgotten (``Replies.unsent``)."""

    def __init__(self) -> None:
        self._orders: dict[int, set[int]] = {}
        self._stopped: dict[int, set[int]] = {}

    def note(self, event: object) -> None:
        """Any event of the card."""
        match event:
            case OrderSent(order_kind=0 | 1):
                self._orders.setdefault(event.venue, set()).add(event.user_ref)
                if event.fate != Fate.SENT:
                    self._stopped.setdefault(event.venue, set()).add(event.user_ref)
            case VenueMessage():
                self._orders.get(event.venue, set()).discard(event.user_ref)

    def of(self, venue: int) -> list[int]:
        """Their UserRefNums."""
        return sorted(self._orders.get(venue, ()))

    def never_left(self, venue: int) -> list[int]:
        """Those that the card itself says did not leave, or not whole: they can be forgotten at once."""
        return sorted(self._orders.get(venue, set()) & self._stopped.get(venue, set()))

    def forget(self, venue: int) -> None:
        self._orders.pop(venue, None)
        self._stopped.pop(venue, None)


class UserRefs:
    """UserRefNums of a day, kept in a file: a venue ignores a number that is not above all that it has seen, so none may come again after
    the card, or its host, was started anew.

    The file holds numbers that are not in use yet: so many beyond the last that a host which dies before it writes again is covered.

    Parameters
    ----------
    path : Path
        Of the day: another day begins with another file.
    venues : int
    ahead : int
        Numbers that may be used between two calls of ``keep``.
    """

    def __init__(self, path: Path, venues: int, ahead: int = 100_000):
        self._path, self._ahead = path, ahead
        self._next = [1] * venues
        if path.exists():
            with suppress(ValueError, TypeError):
                told = json.loads(path.read_text())
                if len(told) == venues and all(isinstance(number, int) and 1 <= number < 1 << 32 for number in told):
                    self._next = told
                    return
            raise CardError(f"{path} does not hold the UserRefNums of {venues} venues: without them orders could be ignored")

    def begin(self, control: Registers) -> None:
        """Before the first order: no number that may have been used comes again."""
        for venue, number in enumerate(self._next):
            self._next[venue] = max(number, control.read("USER_REF", venue))
            control.write("USER_REF", self._next[venue], venue)
        self._write([number + self._ahead for number in self._next])

    def keep(self, control: Registers) -> None:
        """Now and then, at least once for every ``ahead`` / 2 orders of a venue."""
        used = [control.read("USER_REF", venue) for venue in range(len(self._next))]
        if any(number + self._ahead // 2 > kept for number, kept in zip(used, self._next, strict=True)):
            self._write([number + self._ahead for number in used])

    def end(self, control: Registers) -> None:
        """After the last order: the next start goes on right behind it."""
        self._write([control.read("USER_REF", venue) for venue in range(len(self._next))])

    def _write(self, numbers: list[int]) -> None:
        """Whole or not at all."""
        self._next = numbers
        temporary = self._path.with_name(f".{self._path.name}.new")
        temporary.write_text(json.dumps(numbers))
        temporary.replace(self._path)
