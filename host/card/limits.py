"""The risk limits of a card, and which of them make sense."""

import zlib
from typing import NamedTuple

from host.card.registers import REGISTERS, RejectReason

BITS = {"max_shares": 32, "max_notional": 64, "max_position": 32, "rate_burst": 16, "rate_interval": 32, "max_day_notional": 64,
        "max_open_orders": 16}
MAY_BE_ZERO = {"duplicate_window": 32, "heartbeat_interval": 32, "max_distance": 32, "max_deviation": 16, "waived": 32,
               "strategy_interval": 32, "strategy_window": 32, "symbol_interval": 32, "symbol_window": 32, "cancel_burst": 16,
               "cancel_interval": 32, "max_gross": 64, "max_net": 64, "max_executions": 16,
               "execution_window": 32}

WAIVABLE = (
    RejectReason.DEAD_MAN, RejectReason.MARKET_STATE, RejectReason.MAX_SHARES, RejectReason.MAX_NOTIONAL, RejectReason.DUPLICATE,
    RejectReason.POSITION, RejectReason.DAY_NOTIONAL, RejectReason.OPEN_ORDERS, RejectReason.UNSURE_BOOK, RejectReason.COLLAR,
    RejectReason.FAT_FINGER, RejectReason.SELF_MATCH, RejectReason.PRICE_BAND, RejectReason.SHORT_SALE, RejectReason.LOCATE,
    RejectReason.GROSS_NOTIONAL, RejectReason.NET_NOTIONAL,
)
"""Checks that ``waived`` can turn off."""

WITHOUT_HEARTBEAT = 1 << RejectReason.DEAD_MAN

WITHOUT_MARKET = 1 << RejectReason.UNSURE_BOOK | 1 << RejectReason.COLLAR | 1 << RejectReason.FAT_FINGER
"""For cards whose books are not fed: no order is held against them."""


def deviation(basis_points: int) -> int:
    """``max_deviation`` for so many 1/10000 of the reference upwards; downwards it lets a little less pass."""
    if not 0 <= basis_points < 1 << 16:
        raise ValueError(f"basis points are 0 to {(1 << 16) - 1}, not {basis_points}")
    return (basis_points << 16) // (10_000 + basis_points)


class SymbolLimits(NamedTuple):
    """What one symbol is limited to, beside ``Limits``."""

    max_shares: int = (1 << 32) - 1
    """Largest quantity of one order."""
    max_notional: int = (1 << 64) - 1
    """Largest shares x price of one order, in 1/10000 of the currency unit."""
    max_long: int = (1 << 32) - 1
    """Largest long position, working orders included, in shares."""
    max_short: int = (1 << 32) - 1
    """Largest short position, working orders included; 0: it is not sold short."""
    locates: int = (1 << 32) - 1
    """Most shares of all short sale orders since positions were cleared; a cancelled order gives nothing back."""
    min_price: int = 0
    """Least price of an order, in 1/10000."""
    max_price: int = (1 << 32) - 1
    """Largest price of an order, in 1/10000."""
    uptick_only: int = 0
    """1: it is sold short only above the best bid (Regulation SHO, rule 201)."""

    def check(self) -> None:
        """Raises ValueError for limits that are out of range or contradict each other."""
        for name, lowest, bits in (
                ("max_shares", 1, 32), ("max_notional", 1, 64), ("max_long", 0, 32), ("max_short", 0, 32), ("locates", 0, 32),
                ("min_price", 0, 32), ("max_price", 1, 32), ("uptick_only", 0, 1)):
            value = getattr(self, name)
            if not lowest <= value < 1 << bits:
                raise ValueError(f"limit {name} of a symbol must be {lowest} to {(1 << bits) - 1}, not {value}")
        if self.max_notional < self.max_shares:
            raise ValueError(f"limits contradict: max_notional {self.max_notional} is below max_shares {self.max_shares} at 0.0001")
        if self.min_price > self.max_price:
            raise ValueError(f"limits contradict: min_price {self.min_price} is above max_price {self.max_price}")


class Limits(NamedTuple):
    """What an order must keep to pass the gateway; docs/registers.md has the exact meaning."""

    max_shares: int
    """Largest quantity of one order."""
    max_notional: int
    """Largest shares x price of one order, in 1/10000 of the currency unit."""
    max_position: int
    """Largest long or short position of a symbol, working orders included, in shares."""
    rate_burst: int
    """Orders at once."""
    rate_interval: int
    """Clock cycles per order in the long run."""
    max_day_notional: int = (1 << 64) - 1
    """Most of shares x price of all orders of the day, in 1/10000."""
    duplicate_window: int = 0
    """Clock cycles within which the same order is a duplicate; 0: none is."""
    heartbeat_interval: int = 0
    """Longest silence of the host, in 1024 clock cycles."""
    max_open_orders: int = (1 << 16) - 1
    """Most orders open at a time, over all venues; those of a venue find room for as many as the card was made for."""
    max_distance: int = (1 << 32) - 1
    """Furthest that a price may be from the middle of the best bid and ask, in 1/10000."""
    max_deviation: int = (1 << 16) - 1
    """The same in 2^-16 of the order's price (``deviation`` makes it of basis points)."""
    waived: int = WITHOUT_HEARTBEAT | WITHOUT_MARKET
    """One bit per RejectReason: this check is off."""
    strategy_interval: int = 0
    """Clock cycles per order of a strategy in the long run; 0: not limited."""
    strategy_window: int = 0
    """Clock cycles that a strategy may be ahead of that."""
    symbol_interval: int = 0
    """The same of a symbol."""
    symbol_window: int = 0
    cancel_burst: int = 0
    """Cancels at once without a warning (``State.fast_cancels``); 0: there is none. They leave all the same."""
    cancel_interval: int = 0
    """Clock cycles per cancel in the long run."""
    max_gross: int = (1 << 64) - 1
    """Most of what the account has bought and sold and of what works, in 1/10000."""
    max_net: int = (1 << 64) - 1
    """Most of what it has bought beyond what it has sold, with the buy orders that work, in 1/10000; and the other way round."""
    max_executions: int = 0
    """Most executions of a strategy in a window, more of which turn it off (``Switches.let_go_on``); 0: not limited."""
    execution_window: int = 0
    """Clock cycles of a window; 0: it never ends."""

    def check(self) -> None:
        """Raises ValueError for limits that are out of range or contradict each other. To stop all orders, disarm or kill."""
        for name, bits in BITS.items():
            value = getattr(self, name)
            if not 1 <= value < 1 << bits:
                raise ValueError(f"limit {name} must be 1 to {(1 << bits) - 1}, not {value}")
        for name, bits in MAY_BE_ZERO.items():
            if not 0 <= getattr(self, name) < 1 << bits:
                raise ValueError(f"limit {name} must be 0 to {(1 << bits) - 1}, not {getattr(self, name)}")
        waivable = sum(1 << reason for reason in WAIVABLE)
        if self.waived & ~waivable:
            raise ValueError(f"limit waived must be some of the bits of {waivable:#x}, not {self.waived:#x}")
        if not self.waived & WITHOUT_HEARTBEAT and not self.heartbeat_interval:
            raise ValueError("limits contradict: a heartbeat_interval of 0 stops every order unless DEAD_MAN is waived")
        if self.max_day_notional < self.max_notional:
            raise ValueError(f"limits contradict: max_notional {self.max_notional} is above max_day_notional {self.max_day_notional}")
        if self.max_notional > min(self.max_gross, self.max_net):
            raise ValueError(f"limits contradict: max_notional {self.max_notional} is above max_gross or max_net")
        if self.max_shares > self.max_position:
            raise ValueError(f"limits contradict: max_shares {self.max_shares} is above max_position {self.max_position}")
        if self.max_notional < self.max_shares:
            raise ValueError(f"limits contradict: max_notional {self.max_notional} is below max_shares {self.max_shares} at 0.0001")

    def checksum(self, generation: int) -> int:
        """What LIMITS_CHECKSUM shows while these are in force."""
        active = sorted((register.offset, register.name) for register in REGISTERS.values() if register.name.startswith("ACTIVE_"))
        words = [generation.to_bytes(4, "little")]
        for _, name in active:
            value = getattr(self, name.removeprefix("ACTIVE_").lower())
            words.append(value.to_bytes(8 if REGISTERS[name].bits > 32 else 4, "little"))
        return zlib.crc32(b"".join(words))
