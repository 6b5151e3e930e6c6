"""The ports of the gateway; what they mean stands with it."""

from amaranth.hdl import signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.slot_table import SlotSettings
from hw.risk.day import LEVELS
from hw.risk.executions import STRATEGIES
from hw.risk.exposure import Position
from hw.settings import RiskLimits, RiskSwitches, SymbolLimits
from hw.types import Order, OrderReply, RejectedOrder, Shares, SymbolIndex, TopOfBook
from hw.venue_reply import VenueReply


def gateway_ports(config: CardConfig) -> dict:
    """Members of the gateway of a card."""
    return {
        "orders": In(stream.Signature(Order)),
        "halted": In(data.ArrayLayout(config.symbols, config.venues)),
        "tops": In(stream.Signature(TopOfBook, always_ready=True)), "stale": In(config.venues), "restart": In(config.venues),
        "limits": In(RiskLimits), "symbol_limits": In(stream.Signature(SlotSettings(SymbolLimits), always_ready=True)),
        "shown_limits": Out(SymbolLimits),
        "limits_valid": In(1),
        "limits_parity": In(len(RiskLimits.as_shape().members)),
        "armed": In(1),
        **{name: In(shape) for name, shape in RiskSwitches(config.venues, config.symbols).members.items()},
        "unreachable": In(config.venues), "disconnected": In(config.venues),
        "cancels": Out(stream.Signature(Order)), "heartbeat": In(1), "expired": Out(1),
        "replies": In(stream.Signature(VenueReply, always_ready=True)),
        "next_user_ref": In(data.ArrayLayout(32, config.venues)),
        "skip": Out(config.venues),
        "passed": Out(stream.Signature(Order)),
        "rejected": Out(stream.Signature(RejectedOrder)),
        "accepted": Out(1),
        "settled": Out(1),
        "settlement": Out(OrderReply),
        "applied": Out(1),
        "late_reply": Out(1), "bad_reply": Out(1), "unknown_cancel": Out(1), "fast_cancel": Out(1), "fast_cancels": Out(1),
        "tripped_strategies": Out(STRATEGIES), "rearm_strategies": In(STRATEGIES),
        "open_orders": Out(range(config.venues * config.open_orders + 1)),
        "fault": Out(1),
        "day_notional": Out(64),
        "gross_notional": Out(64), "net_buy": Out(signed(64)), "net_sell": Out(signed(64)),
        "day_level": Out(range(len(LEVELS) + 1)),
        "clear_positions": In(1),
        "clearing": Out(1),
        "query_symbol": In(SymbolIndex),
        "position": Out(Position),
        "working_buy": Out(Shares),
        "working_sell": Out(Shares),
        "second_symbol": In(SymbolIndex),
        "second_position": Out(Position),
    }
