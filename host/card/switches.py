"""What the host lets no order do, beside the limits: switches of the gateway that take effect at once, whether it is armed or not."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from host.card.registers import REGISTERS

STRATEGIES = 16


class Registers(Protocol):
    """What of a card's control the switches need."""

    def read(self, name: str, *index: int) -> int: ...

    def write(self, name: str, value: int, *index: int) -> None: ...

    def write_slots(self, name: str, symbols: Collection[int], *index: int) -> None: ...

    def check_venue(self, venue: int) -> None: ...


class Account(NamedTuple):
    """What was bought and sold since positions were cleared, and what works, in 1/10000; docs/risk.md has the exact meaning."""

    gross: int
    net_buy: int
    """Bought less sold, and the buy orders that work."""
    net_sell: int


class Switches:
    """The gateway's switches of a card. The kill switch of all orders is ``Control.kill``."""

    def __init__(self, control: Registers):
        self._control = control

    def heartbeat(self) -> None:
        """Tells the card that the host lives; with a ``heartbeat_interval`` it disarms itself without."""
        self._control.write("HEARTBEAT", 1)

    def kill_only(self, *, venues: Collection[int] = (), strategies: Collection[int] = (), symbols: Collection[int] = ()) -> None:
        """Stops every new order to these venues, of these strategies, for these symbols, and lets all others go; the card stays armed."""
        for venue in venues:
            self._control.check_venue(venue)
        for strategy in strategies:
            if not 0 <= strategy < STRATEGIES:
                raise ValueError(f"strategies are 0 to {STRATEGIES - 1}, not {strategy}")
        self._control.write_slots("KILL_SYMBOLS", symbols)
        self._control.write("KILL_VENUES", sum(1 << venue for venue in set(venues)))
        self._control.write("KILL_STRATEGIES", sum(1 << strategy for strategy in set(strategies)))

    def abort_on_kill(self, venues: Collection[int]) -> None:
        """To these venues, and no others, the frame of a new order that is being sent when a kill switch stops the order ends at once with
        an error (OrderSent tells it with the fate ABORTED), and its session with it; else it finishes."""
        for venue in venues:
            self._control.check_venue(venue)
        self._control.write("KILL_ABORTS", sum(1 << venue for venue in set(venues)))

    def restrict(self, symbols: Collection[int]) -> None:
        """These slots may not be traded, all others may."""
        self._control.write_slots("RESTRICTED", symbols)

    def cancel_on_stop(self, venues: Collection[int]) -> None:
        """At these venues, and no others, the card cancels by itself what a kill switch, a fault or a silent host stops."""
        self._cancel(on_stop=venues)

    def cancel_all(self, venues: Collection[int]) -> None:
        """The card cancels all own orders at these venues, now and as long as they stand here."""
        self._cancel(now=venues)

    def _cancel(self, **fields: Collection[int]) -> None:
        for venue in {venue for venues in fields.values() for venue in venues}:
            self._control.check_venue(venue)
        register = REGISTERS["CANCEL_ALL"]
        masks = register.unpack(self._control.read("CANCEL_ALL"))
        masks |= {name: sum(1 << venue for venue in set(venues)) for name, venues in fields.items()}
        self._control.write("CANCEL_ALL", register.pack(**masks))

    def reduce_only(self, reducing: bool = True) -> None:
        """Only orders that reduce a position leave, with all that works on their side."""
        self._control.write("REDUCING", int(reducing))

    def repeated(self) -> set[int]:
        """Strategies that are off because they had more executions than the limits allow."""
        return {strategy for strategy in range(STRATEGIES) if self._control.read("EXECUTION_TRIPS") >> strategy & 1}

    def let_go_on(self, strategies: Collection[int]) -> None:
        """A person has seen why these strategies are off (``repeated``): they may go on."""
        for strategy in strategies:
            if not 0 <= strategy < STRATEGIES:
                raise ValueError(f"strategies are 0 to {STRATEGIES - 1}, not {strategy}")
        self._control.write("EXECUTION_TRIPS", sum(1 << strategy for strategy in set(strategies)))

    def account(self) -> Account:
        """The account's notional, as the gateway has it."""
        return Account(*(self._control.read(name) for name in ("GROSS_NOTIONAL", "NET_BUY", "NET_SELL")))

    def day_notional(self) -> int:
        """Shares x price of all orders since positions were cleared, in 1/10000."""
        return self._control.read("DAY_NOTIONAL")
