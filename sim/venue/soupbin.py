"""SoupBinTCP 3.00 without sockets: bytes in, bytes out; both ends (PROTOCOLS section 4). Times are in nanoseconds."""

from collections.abc import Callable
from typing import Any

from sim.golden.ouch50 import Packet, PacketReader, ProtocolError, frame

SECOND = 1_000_000_000
HEARTBEAT, SILENCE, LOGIN_TIME = SECOND, 15 * SECOND, 30 * SECOND
"""Longest time between two packets that are sent; until the other side counts as gone; until a client must have logged in."""

NOT_AUTHORISED, NOT_AVAILABLE = "A", "S"
"""Why a login is rejected."""

LOGIN_BYTES, ACCEPT_BYTES = 46, 30


class Account:
    """Who may log in, and the numbered messages for it: they outlive its connections.

    Parameters
    ----------
    user, password : str
        At most 6 and 10 characters. Case does not matter.
    session : str
        Name of the day's session, at most 10 characters.
    receive : callable
        Takes each message of the client.
    disconnected : callable
        Called when a connection that had logged in is gone.

    Attributes
    ----------
    messages : list of bytes
        Message number n is at n - 1.
    """

    def __init__(self, user: str, password: str, session: str, *, receive: Callable[[bytes], Any],
                 disconnected: Callable[[], Any] = lambda: None):
        self.user, self.password, self.session = user, password, session
        self.receive, self.disconnected = receive, disconnected
        self.messages: list[bytes] = []
        self.connection: ServerConnection | None = None
        self.ended = False

    def send(self, message: bytes) -> None:
        """Numbers a message, and sends it if the client is there; it gets it with its next login otherwise."""
        self.messages.append(message)
        if self.connection is not None:
            self.connection.put("S", message)

    def end(self) -> None:
        """The session is over: nobody can log in any more."""
        self.ended = True
        if self.connection is not None:
            self.connection.put("Z")

    def admits(self, session: str, sequence: int) -> bool:
        """Whether a login may begin at message ``sequence``."""
        return (not self.ended and self.connection is None and session in ("", self.session)
                and sequence <= len(self.messages) + 1)


class _Connection:
    """What both ends do. ``closed``: why the connection is over, "" while it is not; bytes that come later are not looked at."""

    _heartbeat = ""

    def __init__(self, now: int):
        self.closed = ""
        self._reader = PacketReader()
        self._out = bytearray()
        self._now = self._received = self._sent = now

    def take(self) -> bytes:
        """What is to be sent, once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def put(self, type_: str, payload: bytes = b"") -> None:
        self._out += frame(Packet(type_, payload))
        self._sent = self._now

    def receive(self, data: bytes, now: int) -> None:
        """Takes bytes of the other side. What comes before something broken is done; that closes the connection."""
        self._now = self._received = max(now, self._now)
        try:
            for packet in self._reader.feed(data):
                if self.closed:
                    return
                if packet.type != "+":
                    self._packet(packet)
        except ProtocolError as error:
            self.close(str(error))

    def tick(self, now: int) -> None:
        """Says something if nothing was said for long, and gives up a side that said nothing."""
        self._now = max(now, self._now)
        if self.closed:
            return
        if self._now - self._received >= SILENCE:
            self.close("the other side is silent")
        elif self._now - self._sent >= HEARTBEAT:
            self.put(self._heartbeat)

    def close(self, reason: str) -> None:
        self.closed = self.closed or reason

    def _packet(self, packet: Packet) -> None:
        raise NotImplementedError


class ServerConnection(_Connection):
    """A client's connection, from its first byte on.

    Parameters
    ----------
    accounts : dict
        By user, upper case.
    now : int
        Time at which it was opened.

    Attributes
    ----------
    account : Account or None
        Who has logged in.
    """

    _heartbeat = "H"

    def __init__(self, accounts: dict[str, Account], now: int):
        super().__init__(now)
        self.account: Account | None = None
        self._accounts = accounts
        self._opened = now

    def tick(self, now: int) -> None:
        if self.account is not None:
            super().tick(now)
        elif now - self._opened >= LOGIN_TIME:
            self.close("no login")

    def close(self, reason: str) -> None:
        super().close(reason)
        account, self.account = self.account, None
        if account is not None:
            account.connection = None
            account.disconnected()

    def _packet(self, packet: Packet) -> None:
        if self.account is None:
            if packet.type != "L":
                raise ProtocolError(f"expected a login, got a packet of type {packet.type!r}")
            self._login(packet.payload)
        elif packet.type == "U":
            self.account.receive(packet.payload)
        elif packet.type == "O":
            self.close("logout")
        elif packet.type != "R":
            raise ProtocolError(f"expected a packet of type U, R or O, got {packet.type!r}")

    def _login(self, payload: bytes) -> None:
        if len(payload) != LOGIN_BYTES or not payload.isascii():
            raise ProtocolError(f"a login has {LOGIN_BYTES} ASCII bytes, not {payload!r}")
        user, password, session, sequence = (_text(payload, *place) for place in ((0, 6), (6, 16), (16, 26), (26, 46)))
        first = _number(sequence)
        account = self._accounts.get(user.upper())
        if account is None or account.password.upper() != password.upper():
            self._reject(NOT_AUTHORISED)
        elif not account.admits(session, first):
            self._reject(NOT_AVAILABLE)
        else:
            first = first or len(account.messages) + 1
            self.put("A", f"{account.session:>10}{first:>20}".encode())
            self.account, account.connection = account, self
            for message in account.messages[first - 1:]:
                self.put("S", message)

    def _reject(self, reason: str) -> None:
        self.put("J", reason.encode())
        self.close(f"login rejected: {reason}")


class ClientConnection(_Connection):
    """The client's end of one connection.

    Parameters
    ----------
    now : int
    sequence : int
        Next message that it wants; 0: only what is new. After a loss of the connection: that of the old connection.
    session : str
        "": whatever there is.

    Attributes
    ----------
    sequence : int
        Number of the next message. 0 until the login is accepted.
    logged_in, ended : bool
    """

    _heartbeat = "R"

    def __init__(self, user: str, password: str, now: int, *, session: str = "", sequence: int = 1):
        super().__init__(now)
        self.session, self.sequence = session, 0
        self.logged_in = self.ended = False
        self._messages: list[bytes] = []
        self.put("L", f"{user:<6}{password:<10}{session:>10}{sequence:>20}".encode("ascii"))

    def send(self, message: bytes) -> None:
        """An unsequenced message, as all of OUCH's to a venue."""
        self.put("U", message)

    def logout(self) -> None:
        self.put("O")

    def messages(self) -> list[bytes]:
        """The numbered messages that have come since the last call."""
        messages, self._messages = self._messages, []
        return messages

    def _packet(self, packet: Packet) -> None:
        if not self.logged_in:
            self._answer(packet)
        elif packet.type == "S":
            self._messages.append(packet.payload)
            self.sequence += 1
        elif packet.type == "Z":
            self.ended = True
        elif packet.type != "H":
            raise ProtocolError(f"expected a packet of type S, H or Z, got {packet.type!r}")

    def _answer(self, packet: Packet) -> None:
        if packet.type == "J":
            self.close(f"login rejected: {packet.payload.decode('latin-1')}")
        elif packet.type != "A" or len(packet.payload) != ACCEPT_BYTES:
            raise ProtocolError(f"expected the answer to a login, got {packet}")
        else:
            self.session, self.sequence = _text(packet.payload, 0, 10), _number(_text(packet.payload, 10, 30))
            self.logged_in = True


def _text(payload: bytes, begin: int, end: int) -> str:
    return payload[begin:end].decode("latin-1").strip(" ")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ProtocolError(f"a sequence number has digits alone, not {text!r}")
    return int(text)
