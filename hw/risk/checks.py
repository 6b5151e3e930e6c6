"""The checks of the gateway: what stands against an order in the cycle in which it is decided on."""

from hw.lib.compare import exceeds
from hw.lib.parity import field_parity
from hw.reasons import WAIVABLE, RejectReason
from hw.types import OrderKind, Side


def killed(gateway, order):
    """The switch of the firm, of a session, of a strategy or of a symbol."""
    return (gateway.kill | gateway.kill_venues.bit_select(order.venue, 1) | gateway.kill_strategies.bit_select(order.strategy, 1)
            | gateway.kill_symbols.bit_select(order.symbol, 1))


def cut_off(gateway, order):
    return gateway.unreachable.bit_select(order.venue, 1)


def limits_broken(gateway):
    """A limit has lost a bit since its commit."""
    return field_parity(gateway.limits) != gateway.limits_parity


def closed(gateway, order):
    return gateway.halted[order.venue].bit_select(order.symbol, 1)


def unsure(gateway, order):
    return gateway.stale.bit_select(order.venue, 1) | ~gateway._reference.sure[order.venue].bit_select(order.symbol, 1)


def is_short(leg):
    """The venue could make a short position of it, or a larger one. Of a sale that is short in part, all of it is."""
    return (leg.order.side == Side.SELL) & (leg.after > 0)


def breaches(gateway, leg, *, day, gross, net, halted, ahead=0):
    """What stands against an order, but for its other leg and the rate. ``ahead``: orders that leave before it.

    ``day``, ``gross``, ``net``: with it, these sums would pass their limits.
    """
    limits, opens = gateway.limits, leg.order.kind != OrderKind.REPLACE
    against = {
        RejectReason.DEAD_MAN: gateway.expired,
        RejectReason.HALTED: halted,
        RejectReason.KILLED: killed(gateway, leg.order),
        RejectReason.REPEATED: gateway.tripped_strategies.bit_select(leg.order.strategy, 1),
        RejectReason.BAD_ORDER: leg.bad | (leg.no_room & ~leg.unknown),
        RejectReason.NO_SESSION: cut_off(gateway, leg.order),
        RejectReason.UNKNOWN_ORDER: leg.unknown,
        RejectReason.RESTRICTED: gateway.restricted.bit_select(leg.order.symbol, 1),
        RejectReason.MARKET_STATE: leg.closed,
        RejectReason.UNSURE_BOOK: leg.unsure,
        RejectReason.MAX_SHARES: exceeds(leg.order.shares, limits.max_shares) | exceeds(leg.order.shares, leg.own.shares),
        RejectReason.MAX_NOTIONAL: (leg.notional > limits.max_notional) | (leg.notional > leg.own.notional),
        RejectReason.COLLAR: exceeds(leg.distance, limits.max_distance),
        RejectReason.FAT_FINGER: exceeds(leg.distance, leg.deviation),
        RejectReason.PRICE_BAND: leg.own.outside,
        RejectReason.SHORT_SALE: is_short(leg) & leg.own.uptick_only & leg.at_bid,
        RejectReason.LOCATE: is_short(leg) & leg.own.no_locate,
        RejectReason.DUPLICATE: leg.duplicate,
        RejectReason.SELF_MATCH: leg.crosses,
        RejectReason.REDUCING: gateway.reducing & (leg.after > 0),
        RejectReason.POSITION: exceeds(leg.after, limits.max_position) | exceeds(leg.after, leg.own.position),
        RejectReason.DAY_NOTIONAL: day, RejectReason.GROSS_NOTIONAL: gross, RejectReason.NET_NOTIONAL: net,
        RejectReason.STRATEGY_RATE: leg.own.strategy_fast, RejectReason.SYMBOL_RATE: leg.own.symbol_fast,
        RejectReason.NO_PLACE: gateway._table.taken.bit_select(leg.order.venue, 1),
        RejectReason.OPEN_ORDERS: opens & exceeds(gateway._table.count + ahead + 1, limits.max_open_orders),
    }
    return {
        reason: breach & ~limits.waived[reason] if reason in WAIVABLE else breach
        for reason, breach in against.items()
    }
