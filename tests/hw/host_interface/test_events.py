"""Event records: what the card packs is what the host unpacks."""

import random
from enum import Enum

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data

from host.card import events as host
from host.card.registers import EVENTS
from hw.arbitrage_types import ArbitrageSignal
from hw.book.snapshot import BookOrders
from hw.host_interface import events
from hw.host_interface.event_records import EventKind
from hw.host_interface.events import Record, StateWatch
from hw.settings import TriggerFiring
from hw.telemetry_types import ClockReading
from hw.types import BookLevel, BookOrder, Gap, RejectedOrder, SentOrder, TopOfBook
from tests.hw.bench import made, simulate

ORDER = ("venue", "symbol", "side", "strategy", "shares", "price", "trigger_venue", "trigger_sequence")

HOST_CLASSES = {
    EventKind.TOP_OF_BOOK: host.TopOfBook, EventKind.ORDER_SENT: host.OrderSent, EventKind.ORDER_REJECTED: host.OrderRejected,
    EventKind.GAP: host.Gap, EventKind.VENUE_STALE: host.VenueStale, EventKind.STATE: host.StateChange,
    EventKind.LEVEL: host.BookLevel, EventKind.ORDER: host.BookOrder, EventKind.ORDERS: host.BookOrders,
    EventKind.TRIGGER: host.TriggerFired, EventKind.CLOCK: host.ClockReading, EventKind.SIGNAL: host.ArbitrageSignal,
    EventKind.WIDE_SIGNAL: host.WideSignal,
}


def words(record):
    return [record >> 32 * i & 0xFFFFFFFF for i in range(8)]


def pack_many(shape, build, count=40):
    """(record, fields of its source) of random sources; ``build`` makes the record's value."""
    rng = random.Random(str(shape))
    m = Module()
    source, record, now = Signal(shape), Signal(Record), Signal(32)
    m.d.comb += record.eq(build(source, now))
    results = []

    async def testbench(ctx):
        for _ in range(count):
            fields = random_fields(rng, shape)
            ctx.set(source, fields)
            time = rng.getrandbits(32)
            ctx.set(now, time)
            results.append((host.decode(words(ctx.get(record))), fields, time))
            await ctx.tick()

    m.d.sync += Signal().eq(0)
    simulate(m, testbench)
    assert len(results) == count
    return results


def random_fields(rng, shape):
    layout = data.Layout.cast(shape)
    fields = {}
    for name, field in layout:
        inner = field.shape
        if isinstance(inner, type) and issubclass(inner, data.Struct):
            fields[name] = random_fields(rng, inner)
        elif name == "reason":
            fields[name] = rng.randrange(8)
        elif isinstance(inner, type) and issubclass(inner, Enum):
            fields[name] = rng.choice(list(inner)).value
        else:
            fields[name] = rng.getrandbits(field.width)
    return fields


def test_top_of_book():
    for event, top, time in pack_many(TopOfBook, events.top_of_book):
        names = ("venue", "symbol", "bid_price", "bid_shares", "ask_price", "ask_shares", "sequence")
        flags = {name: bool(top[name]) for name in ("stale", "halted", "crossed", "locked")}
        assert event == host.TopOfBook(time, False, **flags, **{name: top[name] for name in names})


def test_order_sent():
    for event, sent, time in pack_many(SentOrder, events.order_sent):
        order = {name: sent["order"][name] for name in ORDER}
        assert event == host.OrderSent(
            time, False, **order, user_ref=sent["user_ref"], latency=sent["latency"], order_kind=sent["order"]["kind"],
            fate=sent["fate"])


def test_order_rejected():
    for event, rejected, time in pack_many(RejectedOrder, events.order_rejected):
        order = {name: rejected["order"][name] for name in ORDER}
        assert event == host.OrderRejected(time, False, **order, reason=rejected["reason"], order_kind=rejected["order"]["kind"])


def test_clock():
    for event, reading, time in pack_many(ClockReading, events.clock):
        assert event == host.ClockReading(time, False, **reading)


def test_gap():
    for event, missing, time in pack_many(Gap, lambda missing, now: events.gap(missing.count[:4], missing, now)):
        assert event == host.Gap(time, False, venue=missing["count"] % 16, first=missing["first"], count=missing["count"],
                                 session=missing["session"].to_bytes(10, "little"))


def test_venue_stale():
    shape = data.StructLayout({"venue": 3, "which": 1})
    for event, source, time in pack_many(shape, lambda source, now: events.venue_stale(source.venue, source.which, now)):
        assert event == host.VenueStale(time, False, venue=source["venue"], reason=source["which"])


def test_level():
    for event, level, time in pack_many(BookLevel, events.level):
        assert event == host.BookLevel(time, False, **level)


def test_orders_of_a_book():
    for event, order, time in pack_many(BookOrder, events.order):
        assert event == host.BookOrder(time, False, **order)
    for event, orders, time in pack_many(BookOrders, events.orders):
        assert event == host.BookOrders(time, False, **orders)


@pytest.mark.parametrize("price_bits", [32, 34, 48])
def test_a_signal_and_its_prices_in_full(price_bits):
    shape, kept = ArbitrageSignal(price_bits), 0
    for (event, signal, time), (wide, same, _) in zip(pack_many(shape, events.signal), pack_many(shape, events.wide_signal), strict=True):
        prices = {name: min(signal[name], 2**32 - 1) for name in ("buy_price", "sell_price")}
        kept += prices["buy_price"] == signal["buy_price"]
        assert event == host.ArbitrageSignal(time, False, **signal | prices)
        assert signal == same
        assert wide == host.WideSignal(time, False, signal["symbol"] % 256, signal["buy_price"], signal["sell_price"], signal["time"])
    assert (kept > 0) == (price_bits < 48)


def test_trigger():
    for event, firing, time in pack_many(TriggerFiring, events.trigger):
        entries = tuple(entry for entry in range(16) if firing["entries"] >> entry & 1)
        assert event == host.TriggerFired(time, False, **firing | {"entries": entries})


@pytest.mark.parametrize("kind", HOST_CLASSES)
def test_the_host_has_a_member_for_every_field(kind):
    fields = {"session" if field.name.startswith("session_") else field.name for field in EVENTS[kind]}
    assert set(HOST_CLASSES[kind].__dataclass_fields__) == fields | {"card_time", "lost"}


def test_the_lost_flag_and_unknown_kinds():
    assert host.decode([4 | 16, 0, 0, 0, 0, 0, 0, 7]) == host.Gap(7, True, 0, 0, 0, bytes(10))
    with pytest.raises(host.CardError, match="unknown kind 0"):
        host.decode([0] * 8)


def test_a_record_must_be_complete():
    with pytest.raises(ValueError, match="GAP has the fields"):
        events.record(EventKind.GAP, Signal(32), venue=Signal(4))


def test_state_watch_reports_each_change_once():
    dut = made(StateWatch)
    reported = []

    async def testbench(ctx):
        for cycle, state in enumerate([0, 0, 1, 1, 3, 3, 0x103, 2, 2, 2]):
            ctx.set(dut.state, state)
            ctx.set(dut.now, cycle)
            await ctx.tick()
            if ctx.get(dut.records.valid):
                event = host.decode(words(ctx.get(dut.records.payload)))
                reported.append((event.card_time, event.state, event.changed))

    simulate(dut, testbench)
    assert reported == [(2, 1, 1), (4, 3, 2), (6, 0x103, 0x100), (7, 2, 0x101)]
