"""A venue of each protocol, from frames to events and to what a loss of trust is."""

from hw.reasons import DropReason
from sim.flow import deep10, itch, pitch
from sim.golden import iex_tp, moldudp64, pitch_unit
from sim.golden.card import VenueModel, VenueSettings
from sim.golden.deep10 import level_reference
from sim.golden.ethernet import build_udp
from sim.golden.records import ADD, BUY, CANCEL, SELL, SET, TopOfBook

IP, PORT = 0xE9D12A01, 30_201


def venue(protocol):
    settings = VenueSettings(addresses=[(IP, PORT), (IP + 1, PORT), (0, 0)], feed_sequence=1, names={"SPY": 2, "A": 0})
    return VenueModel(0, settings, protocol)


def frame(payload, line=0):
    return build_udp(payload, destination_ip=IP + line, destination_port=PORT)


def test_orders_of_pitch_find_their_symbol_in_the_book():
    model = venue("pitch")
    messages = [pitch.time(7), pitch.add_short(5, 99, "B", 100, "SPY", 1_000), pitch.add_short(6, 98, "B", 100, "OTHER", 1_000),
                pitch.reduce_short(8, 99, 30)]
    outcome = model.frame(frame(pitch_unit.pack_unit(3, 1, messages)))
    assert [(each.symbol, each.sequence, each.event.kind, each.event.timestamp) for each in outcome.events] == [
        (2, 2, ADD, 7_000_000_005), (0, 4, CANCEL, 7_000_000_008)]
    records = [model.book_event(each) for each in outcome.events]
    assert [(record.symbol, record.top.bid_shares) for record in records] == [(2, 100), (2, 70)]


def test_the_lines_of_pitch_keep_their_seconds_apart():
    model = venue("pitch")
    add = pitch.add_short(5, 99, "B", 100, "SPY", 1_000)
    model.frame(frame(pitch_unit.pack_unit(3, 1, [pitch.time(7)])))
    assert model.frame(frame(pitch_unit.pack_unit(3, 2, [add]), 1), port=1).events[0].event.timestamp == 5
    assert not model.frame(frame(pitch_unit.pack_unit(3, 2, [add]))).events, "it has come before"


def test_packets_without_a_number_and_other_units_are_nobodys():
    model = venue("pitch")
    add = pitch.add_short(5, 99, "B", 100, "SPY", 1_000)
    assert model.frame(frame(pitch_unit.pack_unit(3, 0, [add]))).events == []
    assert model.frame(frame(pitch_unit.pack_unit(4, 1, [add]))).reason is DropReason.SESSION
    assert len(model.frame(frame(pitch_unit.pack_unit(3, 1, [add]))).events) == 1


def test_a_unit_clear_is_a_loss():
    """Its frame takes no effect on any line, so what it held is missing until the host loads the book anew."""
    model = venue("pitch")
    cleared = pitch_unit.pack_unit(3, 1, [pitch.add_short(5, 99, "B", 100, "SPY", 1_000), pitch.unit_clear(6)])
    for line in (0, 1):
        outcome = model.frame(frame(cleared, line), port=line)
        assert (outcome.reason, outcome.events) == (DropReason.MALFORMED, [])
    gap = model.gap()
    assert gap is not None
    assert (gap.first, gap.count) == (1, 2)
    assert model.stale


def test_the_last_number_is_a_loss():
    """What follows it has the numbers from 1 on, which seem to have come long ago."""
    model, last = venue("pitch"), pitch_unit.LAST_SEQUENCE
    model.settings.feed_sequence = last - 1
    model.restart()
    assert len(model.frame(frame(pitch_unit.pack_unit(3, last - 1, [pitch.add_short(5, 99, "B", 100, "SPY", 1_000)]))).events) == 1
    assert model.frame(frame(pitch_unit.pack_unit(3, last, [pitch.delete(6, 99)]))).reason is DropReason.MALFORMED
    assert model.counts["MALFORMED_MESSAGES"] == 1
    gap = model.gap()
    assert gap is not None
    assert (gap.first, gap.count) == (last, 1)
    assert model.stale


def test_levels_of_deep():
    model = venue("deep10")
    messages = [deep10.level(5, "SPY", "B", 100, 20_000, complete=False), deep10.level(5, "SPY", "S", 70, 20_100),
                deep10.level(6, "OTHER", "S", 70, 20_100), deep10.level(7, "SPY", "B", 0, 20_000), deep10.system_event(8, "C")]
    outcome = model.frame(frame(iex_tp.pack_segment(77, 1, messages)))
    levels = [(BUY, 20_000, 1), (SELL, 20_100, 0), (BUY, 20_000, 0)]
    assert [(each.symbol, each.event.kind, each.event.reference, each.event.partial) for each in outcome.events] == [
        (2, SET, level_reference(2, side, price), partial) for side, price, partial in levels]
    records = [model.book_event(each) for each in outcome.events]
    assert records[1].top == TopOfBook(20_000, 100, 1, 20_100, 70, 1)
    assert records[2].top == TopOfBook(0, 0, 0, 20_100, 70, 1)


def test_each_protocol_tells_what_does_not_trade():
    """North speaks ITCH, the others call the symbol by its name; only T trades, of the trading action and of the operational halt."""
    north = VenueModel(0, VenueSettings(addresses=[(IP, PORT)] * 3, feed_sequence=1, locates={7: 2}))
    said = {
        north: lambda number, messages: moldudp64.pack_packet(b"TODAY     ", number, messages),
        venue("pitch"): lambda number, messages: pitch_unit.pack_unit(3, number, messages),
        venue("deep10"): lambda number, messages: iex_tp.pack_segment(5, number, messages),
    }
    words = {
        "itch50": [itch.trading_action(1, 7, "SPY", "T"), itch.operational_halt(1, 7, "SPY", "H"), itch.operational_halt(1, 7, "SPY", "T"),
                   itch.trading_action(1, 7, "SPY", "P"), itch.trading_action(1, 8, "OTHER", "T")],
        "pitch": [pitch.trading_status(1, "SPY", "T"), pitch.trading_status(1, "SPY", "H"), pitch.trading_status(1, "OTHER", "T")],
        "deep10": [deep10.trading_status(1, "SPY", "T"), deep10.operational_halt(1, "SPY", "O"), deep10.operational_halt(1, "SPY", "N"),
                   deep10.trading_status(1, "SPY", "P"), deep10.trading_status(1, "OTHER", "T")],
    }
    wanted = {"itch50": [False, True, False, True], "pitch": [False, True], "deep10": [False, True, False, True]}
    for (model, pack), protocol in zip(said.items(), words, strict=True):
        assert model.halted(2), "nothing is known yet"
        events = model.frame(frame(pack(1, words[protocol]))).events
        records = [model.book_event(event) for event in events]
        assert [(record.symbol, record.halted) for record in records] == [(2, halted) for halted in wanted[protocol]]
        assert model.counts["TRADING_STATES"] == len(records)
        assert model.counts["BOOK_EVENTS"] == 0
        model.forget()
        assert model.halted(2)
        model.settings.assume_trading = {2}
        assert not model.halted(2)
