"""One venue without sockets: orders in and feed out as bytes, on a clock that stands where :meth:`Exchange.advance` left it.

The same settings and the same bytes at the same times give the same feed and the same answers, bit for bit.
"""

from random import Random

from sim.flow import itch
from sim.golden.records import BUY
from sim.venue.agenda import Agenda
from sim.venue.auction import Cross
from sim.venue.crowd import Crowd
from sim.venue.feed import Feed, Line, Retransmission, Sent
from sim.venue.matching import (
    CLOSE,
    CLOSED,
    CLOSING,
    CROSS_OVER,
    HALT_CROSS,
    HALTED,
    OPENING,
    QUOTATION,
    TIME_OVER,
    TRADING,
    Engine,
    Order,
)
from sim.venue.ouch import Port, Reject, firm_of
from sim.venue.settings import VenueSettings
from sim.venue.soupbin import Account, ServerConnection

CHECK_EVERY = 100_000_000
"""Nanoseconds between two looks at the connections' heartbeats."""


class Exchange:
    """A venue and its day.

    Connect with :meth:`connect`, give the connection the client's bytes (``receive``), take what it answers (``take``); let time pass
    with :meth:`advance`, and take what the feed sends with :meth:`packets`.

    Parameters
    ----------
    settings : VenueSettings

    Attributes
    ----------
    engine : Engine
        Its books.
    feed : Feed
        Its ``lines`` may be made faulty at any time.
    retransmission : Retransmission
    ports : dict
        Port by user.
    connections : list of ServerConnection
        Those that are open.
    """

    def __init__(self, settings: VenueSettings):
        self.settings = settings
        self._agenda = Agenda(settings.start - settings.before)
        self._out: list[Sent] = []
        lines = [Line(number, self._agenda, self._random(f"line {number}"), settings.skew, self._out) for number in range(2)]
        self.feed = Feed(settings.session.encode("ascii"), self._agenda, lines)
        self.retransmission = Retransmission(self.feed, self._agenda, settings.retransmissions)
        self.engine = Engine(self)
        self.locates: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._ticks: dict[int, int] = {}
        self._trades: dict[int, list[Order]] = {}
        self._pauses: dict[int, int] = {}
        """When the last halt of each symbol ends."""
        self._crosses = {OPENING, CLOSING, HALT_CROSS}
        self._storm = (0, 0)
        self.connections: list[ServerConnection] = []
        self.ports: dict[str, Port] = {}
        self._accounts: dict[str, Account] = {}
        for number, login in enumerate(settings.logins, 1):
            account = Account(login.user, login.password, settings.session, receive=lambda data: None)
            port = Port(self, number, account.send, prevention=login.prevention, cancel_on_disconnect=login.cancel_on_disconnect)
            account.receive, account.disconnected = port.receive, port.disconnected
            self.ports[login.user], self._accounts[login.user.upper()] = port, account
        self._list_symbols()
        if settings.crowd:
            Crowd(self, settings, self._random("crowd"), self._agenda)
        self._agenda.at(settings.start, self._open)
        if settings.length is not None:
            self._agenda.at(settings.start + settings.length, self._close)
        self._agenda.at(self.now, self._check_connections)

    @property
    def now(self) -> int:
        """Nanoseconds since midnight."""
        return self._agenda.now

    def advance(self, until: int) -> None:
        """Lets the day go on until this time."""
        self._agenda.advance(until)

    def connect(self) -> ServerConnection:
        """A client opens a connection to the order gateway."""
        self.connections.append(connection := ServerConnection(self._accounts, self.now))
        return connection

    def told(self, user: str) -> list[bytes]:
        """All that a client has been told today, or will be told at its next login."""
        return list(self._accounts[user.upper()].messages)

    def packets(self) -> list[Sent]:
        """What has left on the lines since the last call."""
        packets = self._out[:]
        self._out.clear()
        return packets

    # On command. Each raises ValueError with a line that says what is wrong.

    def halt(self, name: str) -> None:
        """Stops a symbol: no orders but cancels."""
        self._change(name, HALTED, (TRADING, QUOTATION))

    def resume(self, name: str) -> None:
        """Ends a halt: orders come, and after the pause a cross lets the symbol trade."""
        self._change(name, QUOTATION, (HALTED,))
        locate = self._locate(name)
        self._pauses[locate] = self.now + self.settings.pause
        self._agenda.at(self._pauses[locate], self._end_pause, locate)

    def disconnect(self, user: str) -> None:
        """Cuts a client's connection without a word."""
        account = self._accounts.get(user.upper())
        if account is None or account.connection is None:
            raise ValueError(f"{user} is not logged in")
        account.connection.close("cut on command")

    def reject(self, orders: int, reason: int = Reject.OTHER) -> None:
        """Rejects so many orders that come next, of whomever."""
        if orders < 0 or not 0 < reason < 1 << 16:
            raise ValueError(f"so many orders with a code from 1 to 65535, not {orders} with {reason}")
        self._storm = (orders, reason)

    def fault(self, line: int, name: str, value: float) -> None:
        """Makes a line drop, duplicate, reorder (chances) or delay (nanoseconds)."""
        if not 0 <= line < len(self.feed.lines):
            raise ValueError(f"lines are 0 and 1, not {line}")
        self.feed.lines[line].faults.set(name, value)

    def break_trade(self, match: int, reason: str = "E") -> None:
        """Takes a trade of a client back: the books stay as they are."""
        if match not in self._trades:
            raise ValueError(f"no client had a trade of match number {match}")
        orders = self._trades.pop(match)
        for order in orders:
            order.owner.broken(order, match, reason)
        self.feed.put(itch.broken_trade(self.now, orders[0].locate, match))

    # The day

    def _list_symbols(self) -> None:
        self.feed.put(itch.system_event(self.now, "O"))
        for account_port in self.ports.values():
            account_port.tell("system_event", {"event": "S"})
        for slot, symbol in enumerate(self.settings.symbols):
            locate = 1 + 97 * self.settings.number + slot  # each venue numbers in its own way
            self.locates[f"{symbol.name:<8}"] = locate
            self._names[locate], self._ticks[locate] = symbol.name, symbol.tick
            self.engine.list_symbol(locate, reference=symbol.price, state=QUOTATION)
            self.feed.put(itch.stock_directory(self.now, locate, symbol.name))
        for locate in self._names:
            self.changed_state(locate, QUOTATION)
        self.feed.put(itch.system_event(self.now, "S"))

    def _open(self) -> None:
        for locate in self._names:
            if self.engine.state(locate) == QUOTATION:
                self.engine.cross(locate, OPENING)
                self.engine.set_state(locate, TRADING)
        for order in [order for order in self.engine.orders.values() if order.cross == OPENING]:
            self.engine.cancel(order, reason=CROSS_OVER)  # of symbols that are halted
        self._crosses.discard(OPENING)
        self.feed.put(itch.system_event(self.now, "Q"))

    def _close(self) -> None:
        self._crosses.clear()
        for locate in self._names:
            if self.engine.state(locate) != HALTED:
                self.engine.cross(locate, CLOSING)
            self.engine.set_state(locate, CLOSED)
        for order in list(self.engine.orders.values()):
            self.engine.cancel(order, reason=CLOSE)
        for event in "MEC":
            self.feed.put(itch.system_event(self.now, event))
        self.feed.end()
        for port in self.ports.values():
            port.tell("system_event", {"event": "E"})
        for account in self._accounts.values():
            account.end()

    def _end_pause(self, locate: int) -> None:
        """Unless it was halted again, or has not opened yet."""
        if self.engine.state(locate) == QUOTATION and self.now >= self._pauses[locate] and OPENING not in self._crosses:
            self.engine.cross(locate, HALT_CROSS)
            self.engine.set_state(locate, TRADING)

    def _check_connections(self) -> None:
        for connection in self.connections:
            connection.tick(self.now)
        self.connections = [connection for connection in self.connections if not connection.closed]
        self._agenda.at(self.now + CHECK_EVERY, self._check_connections)

    def _locate(self, name: str) -> int:
        locate = self.locates.get(f"{name.upper():<8}")
        if locate is None:
            raise ValueError(f"no symbol {name}: there are {', '.join(self._names.values())}")
        return locate

    def _change(self, name: str, state: str, allowed: tuple[str, ...]) -> None:
        locate = self._locate(name)
        if self.engine.state(locate) not in allowed:
            raise ValueError(f"{name} is in state {self.engine.state(locate)}, not in {' or '.join(allowed)}")
        self.engine.set_state(locate, state)

    def _random(self, what: str) -> Random:
        return Random(f"trapjaw exchange {self.settings.seed} {self.settings.number} {what}")

    # What ports and crowd ask

    def tick(self, locate: int) -> int:
        return self._ticks[locate]

    def reject_storm(self) -> int:
        orders, reason = self._storm
        self._storm = (max(0, orders - 1), reason)
        return reason if orders else 0

    def takes_cross(self, kind: str) -> bool:
        return kind in self._crosses

    def frozen(self, kind: str) -> bool:
        length = self.settings.length
        cross = self.settings.start if kind == OPENING else None if length is None else self.settings.start + length
        return kind != HALT_CROSS and cross is not None and cross - self.settings.freeze <= self.now

    def expire(self, order: Order, time: int) -> None:
        self._agenda.at(time, self.engine.cancel, order, 0, TIME_OVER)

    # What the engine tells: to the owners, and to everybody by the feed

    def accepted(self, order: Order) -> None:
        order.owner.accepted(order)

    def rested(self, order: Order) -> None:
        if order.public:
            side = "B" if order.side == BUY else "S"
            self.feed.put(itch.add(self.now, order.locate, self._names[order.locate], order.reference, side, order.shares, order.price,
                                   firm_of(order)))

    def traded(self, resting: Order, incoming: Order, shares: int, price: int, match: int) -> None:
        if resting.public:
            self.feed.put(itch.executed(self.now, resting.locate, resting.reference, shares, match))
        else:
            self.feed.put(itch.trade(self.now, resting.locate, self._names[resting.locate], shares, price, match))
        resting.owner.executed(resting, shares, price, match, "J" if resting.hidden else "A")
        incoming.owner.executed(incoming, shares, price, match, "R")
        self._remember(match, resting, incoming)

    def canceled(self, order: Order, shares: int, reason: str) -> None:
        self._lost(order, shares)
        order.owner.canceled(order, shares, reason)

    def prevented(self, order: Order, shares: int, prevented: int, price: int, strategy: str) -> None:
        self._lost(order, shares)
        order.owner.prevented(order, shares, prevented, price, strategy)

    def replaced(self, old: Order, new: Order, stands: bool) -> None:
        if old.public and new.public:
            self.feed.put(itch.replace(self.now, old.locate, old.reference, new.reference, new.shares, new.price))
        elif old.public:
            self.feed.put(itch.delete(self.now, old.locate, old.reference))
        elif stands:
            self.rested(new)
        new.owner.replaced(old, new)

    def crossed(self, order: Order, shares: int, price: int, match: int, kind: str) -> None:
        if order.public:
            self.feed.put(itch.executed_with_price(self.now, order.locate, order.reference, shares, match, price, "N"))
        order.owner.executed(order, shares, price, match, kind)
        self._remember(match, order)

    def cross_done(self, locate: int, cross: Cross, match: int, kind: str) -> None:
        self.feed.put(itch.cross_trade(self.now, locate, self._names[locate], cross.shares, cross.price, match, kind))

    def changed_state(self, locate: int, state: str) -> None:
        if state != CLOSED:
            self.feed.put(itch.trading_action(self.now, locate, self._names[locate], state))

    def _lost(self, order: Order, shares: int) -> None:
        if order.public and order.shares:
            self.feed.put(itch.cancel(self.now, order.locate, order.reference, shares))
        elif order.public:
            self.feed.put(itch.delete(self.now, order.locate, order.reference))

    def _remember(self, match: int, *orders: Order) -> None:
        if clients := [order for order in orders if isinstance(order.owner, Port)]:
            self._trades.setdefault(match, []).extend(clients)
