"""The checks of the gateway: what stands against an order. Limits, market and the switches by key are looked at a cycle before it is
decided on; what stops everything, and what may no longer be there, in that cycle."""

from hw.lib.compare import exceeds
from hw.lib.parity import field_parity
from hw.reasons import WAIVABLE, RejectReason
from hw.types import OrderKind, Side


def killed_by_key(gateway, order):
    """The switch of a session, of a strategy or of a symbol."""
    return (gateway.kill_venues.bit_select(order.venue, 1) | gateway.kill_strategies.bit_select(order.strategy, 1)
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


def measured(gateway, leg, *, day, gross, net, ahead=0):
    """What stands against an order a cycle before it is decided on. ``ahead``: orders that leave before it.

    ``day``, ``gross``, ``net``: with it, these sums would pass their limits. HALTED, KILLED and REDUCING are not complete.
    """
    limits, opens = gateway.limits, leg.order.kind != OrderKind.REPLACE
    against = {
        RejectReason.HALTED: limits_broken(gateway) | gateway.clearing,
        RejectReason.KILLED: killed_by_key(gateway, leg.order),
        RejectReason.REPEATED: gateway.tripped_strategies.bit_select(leg.order.strategy, 1),
        RejectReason.RESTRICTED: gateway.restricted.bit_select(leg.order.symbol, 1),
        RejectReason.BAD_ORDER: leg.bad | (leg.no_room & ~leg.unknown),
        RejectReason.UNKNOWN_ORDER: leg.unknown,
        RejectReason.MARKET_STATE: closed(gateway, leg.order),
        RejectReason.UNSURE_BOOK: unsure(gateway, leg.order),
        RejectReason.MAX_SHARES: exceeds(leg.order.shares, limits.max_shares) | exceeds(leg.order.shares, leg.own.shares),
        RejectReason.MAX_NOTIONAL: (leg.notional > limits.max_notional) | (leg.notional > leg.own.notional),
        RejectReason.COLLAR: leg.no_reference | exceeds(leg.distance, limits.max_distance),
        RejectReason.FAT_FINGER: leg.no_reference | exceeds(leg.distance, leg.deviation),
        RejectReason.PRICE_BAND: leg.own.outside,
        RejectReason.SHORT_SALE: is_short(leg) & leg.own.uptick_only & leg.at_bid,
        RejectReason.LOCATE: is_short(leg) & leg.own.no_locate,
        RejectReason.DUPLICATE: leg.duplicate,
        RejectReason.SELF_MATCH: leg.crosses,
        RejectReason.REDUCING: leg.after > 0,
        RejectReason.POSITION: exceeds(leg.after, limits.max_position) | exceeds(leg.after, leg.own.position),
        RejectReason.DAY_NOTIONAL: day, RejectReason.GROSS_NOTIONAL: gross, RejectReason.NET_NOTIONAL: net,
        RejectReason.STRATEGY_RATE: leg.own.strategy_fast, RejectReason.SYMBOL_RATE: leg.own.symbol_fast,
        RejectReason.OPEN_ORDERS: opens & exceeds(gateway._table.count + ahead + 1, limits.max_open_orders),
    }
    return {
        reason: breach & ~limits.waived[reason] if reason in WAIVABLE else breach
        for reason, breach in against.items()
    }


def breaches(gateway, order, found, *, halted):
    """What stands against an order, but for its other leg and the rate. ``found``: as ``measured`` a cycle ago."""
    return found | {
        RejectReason.DEAD_MAN: gateway.expired,
        RejectReason.HALTED: found[RejectReason.HALTED] | halted,
        RejectReason.KILLED: found[RejectReason.KILLED] | gateway.kill,
        RejectReason.NO_SESSION: cut_off(gateway, order),
        RejectReason.REDUCING: found[RejectReason.REDUCING] & gateway.reducing,
        RejectReason.NO_PLACE: gateway._table.taken.bit_select(order.venue, 1),
    }
