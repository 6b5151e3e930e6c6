"""Event records: how what the stages say becomes the 256 bits that the host reads."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host_interface.event_records import EVENT_HEADER, EVENTS, EventKind
from hw.host_interface.registers import RECORD_BYTES
from hw.types import Cycles

Record = unsigned(8 * RECORD_BYTES)
"""One event record, laid out as EVENT_HEADER and EVENTS say."""

EventStream = stream.Signature(Record, always_ready=True)

LOST_BIT = next(field.lsb for field in EVENT_HEADER if field.name == "lost")


def record(kind: EventKind, now, **values):
    """A record of one kind; every field that the kind has must be given.

    Parameters
    ----------
    kind : EventKind
    now : Cycles
        Card time.
    values : ValueCastable by field name
        Cut to the field's width where they are wider.
    """
    fields = {field.name: field for field in EVENTS[kind]}
    if values.keys() != fields.keys():
        raise ValueError(f"{kind.name} has the fields {sorted(fields)}, not {sorted(values)}")
    header = {field.name: field for field in EVENT_HEADER}
    parts = [(header["kind"], Const(kind, 4)), (header["card_time"], Value.cast(now))]
    parts += [(fields[name], Value.cast(value)) for name, value in values.items()]

    bits, at = [], 0
    for field, value in sorted(parts, key=lambda part: part[0].lsb):
        fitted = value[:field.width] if len(value) >= field.width else Cat(value, Const(0, field.width - len(value)))
        bits += [Const(0, field.lsb - at), fitted]
        at = field.lsb + field.width
    return Cat(*bits, Const(0, 8 * RECORD_BYTES - at))


def top_of_book(top, now):
    """Record of a ``TopOfBook``."""
    return record(
        EventKind.TOP_OF_BOOK, now, stale=top.stale, halted=top.halted, crossed=top.crossed, locked=top.locked,
        venue=top.venue, symbol=top.symbol,
        bid_price=top.bid_price, bid_shares=top.bid_shares,
        ask_price=top.ask_price, ask_shares=top.ask_shares, sequence=top.sequence)


def level(of, now):
    """Record of a ``BookLevel``."""
    return record(EventKind.LEVEL, now, **{field.name: getattr(of, field.name) for field in EVENTS[EventKind.LEVEL]})


def order(of, now):
    """Record of a ``BookOrder``."""
    return record(EventKind.ORDER, now, **{field.name: getattr(of, field.name) for field in EVENTS[EventKind.ORDER]})


def orders(of, now):
    """Record of a ``BookOrders``."""
    return record(EventKind.ORDERS, now, **{field.name: getattr(of, field.name) for field in EVENTS[EventKind.ORDERS]})


def signal(of, now):
    """Record of an ``ArbitrageSignal``."""
    values = {field.name: getattr(of, field.name) for field in EVENTS[EventKind.SIGNAL]}
    prices = {name: values[name] | values[name][32:].any().replicate(32) for name in ("buy_price", "sell_price")}
    return record(EventKind.SIGNAL, now, **values | prices)


def wide_signal(of, now):
    """The prices of an ``ArbitrageSignal`` of a wide build in full."""
    return record(EventKind.WIDE_SIGNAL, now, **{field.name: getattr(of, field.name) for field in EVENTS[EventKind.WIDE_SIGNAL]})


def trigger(of, now):
    """Record of a ``TriggerFiring``."""
    return record(EventKind.TRIGGER, now, **{field.name: getattr(of, field.name) for field in EVENTS[EventKind.TRIGGER]})


def clock(reading, now):
    """Record of a ``ClockReading``."""
    return record(EventKind.CLOCK, now, **{field.name: getattr(reading, field.name) for field in EVENTS[EventKind.CLOCK]})


def venue_message(told, now):
    """Record of a ``ToldReply``."""
    names = ("venue", "type", "user_ref", "shares", "price", "reference", "code", "number")
    return record(EventKind.VENUE_MESSAGE, now, unsure=told.unsure, **{name: getattr(told.message, name) for name in names})


def session(venue, up, reason, number, now):
    """Record of a session that came up or went down."""
    return record(EventKind.SESSION, now, venue=venue, up=up, reason=reason, number=number)


def order_sent(sent, now):
    """Record of a ``SentOrder``."""
    return record(EventKind.ORDER_SENT, now, **_order(sent.order), user_ref=sent.user_ref, latency=sent.latency, fate=sent.fate)


def order_rejected(rejected, now):
    """Record of a ``RejectedOrder``."""
    return record(EventKind.ORDER_REJECTED, now, **_order(rejected.order), reason=rejected.reason)


def _order(order):
    names = ("side", "venue", "trigger_venue", "symbol", "strategy", "price", "shares", "trigger_sequence")
    return {name: getattr(order, name) for name in names} | {"order_kind": order.kind}


def gap(venue, missing, now):
    """Record of a ``Gap`` at a venue."""
    return record(
        EventKind.GAP, now, venue=venue, first=missing.first, count=missing.count,
        session_start=missing.session[:64], session_end=missing.session[64:])


def venue_stale(venue, reason, now):
    """Record of a venue that went stale."""
    return record(EventKind.VENUE_STALE, now, venue=venue, reason=reason)


class StateWatch(wiring.Component):
    """Reports every change of the card's state.

    Ports
    -----
    state : In(32)
        The STATE register.
    now : In(Cycles)
    records : Out(EventStream)
        One STATE record in the cycle after a change; the state after reset is all zero and gives none.
    """

    state: In(32)
    now: In(Cycles)
    records: Out(EventStream)

    def elaborate(self, platform):
        m = Module()
        before = Signal(32)
        m.d.sync += [
            before.eq(self.state),
            self.records.valid.eq(self.state != before),
            self.records.payload.eq(record(EventKind.STATE, self.now, state=self.state, changed=self.state ^ before)),
        ]
        return m
