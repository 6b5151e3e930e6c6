"""What the exchange publishes is what its engine has; what it tells its clients adds up; faults on command; the same again from a seed."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from sim.golden import itch50
from sim.golden.book import Book
from sim.golden.moldudp64 import MoldUdp64Model, pack_request, read_packet, unpack_header
from sim.golden.ouch50 import ProtocolError
from sim.golden.records import BUY, SELL
from sim.venue.exchange import Exchange
from sim.venue.feed import PACKET_LIMIT
from sim.venue.matching import HALTED, QUOTATION, TRADING
from sim.venue.settings import SECOND, CrowdSettings, Login, VenueSettings
from tests.sim.venue.clients import QUIET, Client, brief

LOGINS = (Login("ALICE", "A", prevention="D"), Login("BOB", "B", prevention="O"))
BUSY = VenueSettings(seed=0, logins=LOGINS, length=60_000_000, crowd=CrowdSettings(rate=4_000, news=200))
SYMBOLS = [symbol.name for symbol in BUSY.symbols]


def watch(exchange):
    """The engine's displayed book of the symbol that each message is about, by message number, as it was when the message was made."""
    books = {}
    put = exchange.feed.put

    def watched(message):
        put(message)
        locate = int.from_bytes(message[1:3], "big")
        if locate:
            books[len(exchange.feed.messages)] = [exchange.engine.displayed(locate, side) for side in (BUY, SELL)]

    exchange.feed.put = watched
    return books


def anything(client, draw):
    """A client does anything that OUCH knows, right or wrong."""
    symbol = draw.choice(SYMBOLS)
    engine = client.exchange.engine
    near = engine.last_price(client.exchange.locates[f"{symbol:<8}"]) + 100 * draw.randrange(-8, 9)
    price = draw.choice((near,) * 20 + (2_000_000_000, 0, near + 1))
    known = draw.randrange(max(1, client.user_ref - 12), client.user_ref + 2)
    post_only, firm = (12, b"P"), (2, b"LIME")
    match draw.choices(("enter", "replace", "cancel", "modify", "query"), (12, 4, 3, 2, 1))[0]:
        case "enter":
            client.enter(draw.choice("BSTE"), draw.randrange(1, 900), price, symbol=symbol, time_in_force=draw.choice("0003"),
                         display=draw.choice("YYYAN"), cross_type=draw.choice("N" * 20 + "OCH"),
                         appendage=draw.choice(((), (), (post_only,), (firm,))))
        case "replace":
            client.replace(known, draw.randrange(1, 900), price, display=draw.choice("YYYN"))
        case "cancel":
            client.cancel(known, draw.choice((0, 0, draw.randrange(900))))
        case "modify":
            client.modify(known, draw.choice("STE"), draw.randrange(900))
        case _:
            client.say("account_query", {})


def day(seed, *, steps=350, faulty=(1,)):
    """A day with two busy clients, a crowd, halts, and faulty lines; everything to compare."""
    exchange = Exchange(replace(BUSY, seed=seed))
    books, draw = watch(exchange), random.Random(seed)
    clients = [Client(exchange, login.user, login.password) for login in LOGINS]
    begin = exchange.now
    for line in faulty:
        exchange.fault(line, "duplicate", 0.1)
        exchange.fault(line, "reorder", 0.1)
        exchange.fault(line, "drop", 0.1)
    for step in range(steps):
        exchange.advance(begin + 66_000_000 * step // steps)
        if step in (100, 200):
            exchange.halt("BEES")
        if step in (110, 220):
            exchange.resume("BEES")
        if step == 150:
            exchange.reject(4)
        anything(draw.choice(clients), draw)
        for client in clients:
            client.pump()
    exchange.advance(begin + 70_000_000 + SECOND)
    for client in clients:
        client.pump()
    return exchange, books, clients, exchange.packets()


@pytest.fixture(scope="module", params=range(3))
def played(request):
    return day(request.param)


def test_the_feed_gives_the_engines_book_at_every_message(played):
    exchange, books, _, packets = played
    seen, compared = Counter(), 0
    book, model = Book(), MoldUdp64Model()
    for sent in packets:
        if sent.line == 0:
            outcome = model.packet(sent.packet)
            assert outcome.gap is None
            for number, message in outcome.messages:
                seen[chr(message[0])] += 1
                if event := itch50.decode(message):
                    book.apply(event)
                if number in books:
                    locate = int.from_bytes(message[1:3], "big")
                    assert list(book.depth(locate, 1_000)) == books[number], f"message {number}"
                    compared += 1
    assert seen.total() == len(exchange.feed.messages)
    assert compared > 1_500
    assert not book.unknown
    assert not book.doubtful
    assert not exchange.engine.orders
    assert not book.orders
    assert not set("AFEXDUPQCHRS") - set(seen), seen


def test_two_lossy_lines_and_the_server_give_every_message():
    exchange, _, _, packets = day(5, steps=60, faulty=(0, 1))
    held = {}
    for sent in packets:
        packet = read_packet(sent.packet)
        held |= {number: message for number, message in packet.messages}
    messages = exchange.feed.messages
    missing = [number for number in range(1, len(messages) + 1) if number not in held]
    assert missing, "nothing was lost on both lines"
    assert all(line.counts["dropped"] and line.counts["duplicated"] and line.counts["reordered"] for line in exchange.feed.lines)
    for number in missing:
        answer = read_packet(exchange.retransmission.answer(pack_request(exchange.feed.session, number, 3), "card"))
        held |= {got: message for got, message in answer.messages}
    assert [held[number] for number in range(1, len(messages) + 1)] == messages


def test_what_the_clients_were_told_adds_up(played):
    _, _, clients, _ = played
    names = Counter()
    for client in clients:
        left = {}
        for message in client.told:
            fields, ref = message.fields, message.fields.get("user_ref")
            names[message.name] += 1
            if message.name == "accepted":
                left[ref] = fields["quantity"]
            elif message.name == "replaced":
                del left[fields["original_user_ref"]]
                left[ref] = fields["quantity"]
            elif message.name in ("executed", "canceled", "aiq_canceled"):
                left[ref] -= fields["quantity"]
                assert left[ref] >= 0
            elif message.name == "modified":
                assert fields["quantity"] <= left[ref]
                left[ref] = fields["quantity"]
        assert not any(left.values())
    assert not {"accepted", "replaced", "executed", "canceled", "rejected", "modified", "query_response", "system_event"} - set(names)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    first, second, other = day(7, steps=60), day(7, steps=60), day(8, steps=60)
    assert first[3] == second[3]
    assert first[0].feed.messages == second[0].feed.messages != other[0].feed.messages
    assert [client.told for client in first[2]] == [client.told for client in second[2]]


def test_venues_of_one_seed_hear_the_same_news():
    north, south = (Exchange(VenueSettings(seed=3, number=number)) for number in (0, 1))
    for venue in (north, south):
        venue.advance(venue.settings.start + 300_000_000)
    assert north.feed.messages != south.feed.messages
    for symbol, locate in north.locates.items():
        prices = [venue.engine.last_price(venue.locates[symbol]) for venue in (north, south)]
        assert abs(prices[0] - prices[1]) < prices[0] // 100
        assert south.locates[symbol] == locate + 97


# The lines and the server


def test_packets_hold_what_comes_within_a_microsecond_and_fit_a_frame():
    exchange = Exchange(QUIET)
    exchange.advance(exchange.now + 999)
    assert not exchange.packets()
    exchange.advance(exchange.now + 10_000)
    sent = exchange.packets()
    assert {each.line for each in sent} == {0, 1}
    assert {unpack_header(each.packet).sequence for each in sent} == {1}
    assert unpack_header(sent[0].packet).count == len(exchange.feed.messages)
    for _ in range(50):
        exchange.feed.put(bytes(36))
    exchange.advance(exchange.now + 10_000)
    sizes = [len(each.packet) for each in exchange.packets() if each.line == 0]
    assert len(sizes) == 2
    assert PACKET_LIMIT - 38 < max(sizes) <= PACKET_LIMIT
    for _ in range(2):
        exchange.feed.put(bytes(689))
    exchange.advance(exchange.now + 10_000)
    assert len(exchange.packets()) == 4, "together they would have two bytes too many"


def test_heartbeats_and_the_end_of_the_session():
    exchange = Exchange(replace(QUIET, length=SECOND))
    exchange.advance(exchange.settings.start + SECOND - 1)
    count = len(exchange.feed.messages)
    heartbeats = [unpack_header(sent.packet) for sent in exchange.packets() if unpack_header(sent.packet).count == 0]
    assert [header.sequence for header in heartbeats] == [] or all(header.sequence == count + 1 for header in heartbeats)
    quiet = Exchange(QUIET)
    quiet.advance(quiet.settings.start + 4 * SECOND)
    heartbeats = [sent for sent in quiet.packets() if sent.line == 1 and unpack_header(sent.packet).count == 0]
    assert len(heartbeats) == 3
    assert unpack_header(heartbeats[0].packet).sequence == len(quiet.feed.messages) + 1
    exchange.advance(exchange.settings.start + 20 * SECOND)
    ends = [unpack_header(sent.packet) for sent in exchange.packets() if sent.line == 0][-5:]
    assert {(header.sequence, header.count) for header in ends} == {(len(exchange.feed.messages) + 1, 0xFFFF)}


def test_a_line_is_late_on_command_and_the_other_is_not():
    exchange = Exchange(QUIET)
    exchange.fault(1, "delay", 500_000)
    begin = exchange.now
    exchange.advance(begin + 2_000_000)
    left = {sent.line: sent.time - begin for sent in reversed(exchange.packets())}
    assert left[1] >= 500_000 > left[0]


@pytest.mark.parametrize(("line", "name", "value", "message"), [
    (2, "drop", 0.1, "lines are 0 and 1"), (0, "drop", 1.1, "chance from 0 to 1"), (0, "delay", -1, "0 to 1000000000 ns"),
    (0, "drop", float("nan"), "chance"), (0, "explode", 0, "can drop, duplicate, reorder or delay")])
def test_faults_that_there_are_not(line, name, value, message):
    with pytest.raises(ValueError, match=message):
        Exchange(QUIET).fault(line, name, value)


def test_the_server_answers_what_it_should_and_no_more_than_it_may(monkeypatch):
    exchange = Exchange(replace(QUIET, retransmissions=4))
    session, server = exchange.feed.session, exchange.retransmission
    assert server.answer(pack_request(session, 1, 2), "a") is None, "nothing has been sent yet"
    exchange.advance(exchange.now + SECOND)
    for _ in range(60):
        exchange.feed.put(bytes(36))
    exchange.advance(exchange.now + SECOND)
    answer = server.answer(pack_request(session, 8, 500), "a")
    assert unpack_header(answer).sequence == 8
    assert PACKET_LIMIT - 38 < len(answer) <= PACKET_LIMIT
    assert read_packet(answer).messages[0].message == exchange.feed.messages[7]
    for request in (b"short", pack_request(session, 1, 1) + b"x", session + bytes(10)):
        assert server.answer(request, "b") is None
    assert server.answer(pack_request(b"ANOTHER   ", 1, 1), "b") is None
    assert server.answer(pack_request(session, 1, 1), "b") is None, "the fifth within a second"
    assert server.answer(pack_request(session, 1, 1), "a") is not None
    exchange.advance(exchange.now + SECOND // 2)
    assert server.answer(pack_request(session, 1, 1), "b") is not None
    monkeypatch.setattr("sim.venue.feed.MOST_SOURCES", 2)
    assert server.answer(pack_request(session, 1, 1), "c") is not None
    assert len(server._allowance) == 1, "what is remembered is bounded"
    assert server.counts == {"absent": 1, "answered": 4, "malformed": 3, "session": 1, "rate": 1}


# Commands


def trading(settings=QUIET):
    exchange = Exchange(settings)
    client = Client(exchange)
    exchange.advance(settings.start)
    client.pump()
    return exchange, client


def test_a_halt_takes_cancels_alone_and_ends_with_a_cross():
    exchange, client = trading()
    locate = exchange.locates["ANTS    "]
    client.enter("B", 100, 24_0000)
    exchange.halt("ants")
    assert exchange.engine.state(locate) == HALTED
    assert brief(client.enter("S", 100, 24_0000))[0][1]["reason"] == 7
    assert brief(client.replace(1, 100, 24_0100)) == [("rejected", {"user_ref": 3, "reason": 7})]
    assert brief(client.cancel(1, 40)) == [("canceled", {"user_ref": 1, "quantity": 60, "reason": "U"})]
    exchange.resume("ANTS")
    assert brief(client.enter("S", 30, 23_9900))[0][0] == "accepted"
    assert client.pump() == []
    exchange.advance(exchange.now + exchange.settings.pause)
    assert exchange.engine.state(locate) == TRADING
    assert {(name, fields["quantity"], fields["liquidity"]) for name, fields in brief(client.pump())} == {("executed", 30, "H")}
    assert "".join(chr(message[0]) for message in exchange.feed.messages[-9:]) == "AHXHACCQH"
    trades = [itch50.trade(message) for message in exchange.feed.messages[-4:-1]]
    assert [(trade.shares, trade.price, chr(trade.code)) for trade in trades] == [
        (30, 24_0000, "N"), (30, 24_0000, "N"), (30, 24_0000, "H")]


def test_a_second_halt_has_a_pause_of_its_own():
    exchange, _ = trading()
    locate, pause = exchange.locates["ANTS    "], exchange.settings.pause
    exchange.halt("ANTS")
    exchange.resume("ANTS")
    exchange.advance(exchange.now + pause // 2)
    exchange.halt("ANTS")
    exchange.resume("ANTS")
    exchange.advance(exchange.now + pause - 1)
    assert exchange.engine.state(locate) == QUOTATION
    exchange.advance(exchange.now + 1)
    assert exchange.engine.state(locate) == TRADING


def test_a_symbol_that_is_halted_before_the_opening_opens_when_it_is_resumed():
    exchange = Exchange(QUIET)
    client, locate = Client(exchange), exchange.locates["ANTS    "]
    client.enter("B", 100, 24_0000, cross_type="O")
    exchange.halt("ANTS")
    exchange.advance(exchange.settings.start)
    assert exchange.engine.state(locate) == HALTED
    assert brief(client.pump()) == [("canceled", {"user_ref": 1, "quantity": 100, "reason": "E"})]
    exchange.resume("ANTS")
    exchange.advance(exchange.now + exchange.settings.pause)
    assert exchange.engine.state(locate) == TRADING


def test_a_reject_storm_takes_as_many_orders_as_it_was_told():
    exchange, client = trading()
    exchange.reject(2, 0x28)
    told = [brief(client.enter())[0] for _ in range(3)]
    assert [name for name, _ in told] == ["rejected", "rejected", "accepted"]
    assert told[0][1]["reason"] == 0x28


def test_a_cut_connection_cancels_and_the_next_login_hears_of_it():
    exchange, client = trading()
    client.enter()
    heard = client.wire.sequence
    exchange.disconnect("tj")
    assert client.server.closed == "cut on command"
    assert not exchange.engine.orders
    again = Client(exchange, session=client.wire.session, sequence=heard)
    assert brief(again.told) == [("canceled", {"user_ref": 1, "quantity": 100, "reason": "S"})]
    assert brief(again.enter(user_ref=1)) == [], "a retransmission"
    assert brief(again.enter(user_ref=2))[0][0] == "accepted"


def test_a_trade_is_broken_on_command():
    exchange, client = trading(replace(QUIET, logins=(Login("TJ", "TRAPJAW", prevention=""),)))
    client.enter("B")
    fills = [message for message in client.enter("S") if message.name == "executed"]
    match = fills[0].fields["match"]
    exchange.break_trade(match)
    assert [message.fields["user_ref"] for message in client.pump() if message.name == "broken_trade"] == [1, 2]
    assert exchange.feed.messages[-1][:1] == b"B"
    with pytest.raises(ValueError, match="no client had a trade"):
        exchange.break_trade(match)


@pytest.mark.parametrize(("command", "message"), [
    (lambda exchange: exchange.halt("NONE"), "no symbol NONE: there are ANTS"),
    (lambda exchange: exchange.resume("ANTS"), "ANTS is in state T, not in H"),
    (lambda exchange: exchange.disconnect("BOB"), "BOB is not logged in"),
    (lambda exchange: exchange.reject(-1), "so many orders"),
])
def test_commands_that_can_not_be(command, message):
    exchange, _ = trading()
    with pytest.raises(ValueError, match=message):
        command(exchange)


def test_the_closing_cross_and_after():
    exchange, client = trading(replace(QUIET, length=SECOND))
    client.enter("B", 100, 24_0000, cross_type="C")
    client.enter("B", 50, 24_0000)
    client.enter("S", 70, 2_000_000_000, cross_type="C")
    exchange.advance(exchange.settings.start + SECOND - 1)
    assert brief(client.cancel(1)) == [("cancel_rejected", {"user_ref": 1})], "too near to the cross"
    assert brief(client.modify(3, "T", 10)) == [("cancel_rejected", {"user_ref": 3})]
    exchange.advance(exchange.settings.start + SECOND)
    told = brief(client.pump())
    assert [(name, fields.get("user_ref"), fields.get("quantity"), fields.get("reason")) for name, fields in told] == [
        ("executed", 1, 70, None), ("executed", 3, 70, None), ("canceled", 1, 30, "E"), ("canceled", 2, 50, "E"),
        ("system_event", None, None, None)]
    trades = [trade for message in exchange.feed.messages if (trade := itch50.trade(message)) and trade.shares]
    assert [(trade.kind, trade.shares, trade.price, chr(trade.code)) for trade in trades] == [("Q", 70, 24_0000, "C")]
    assert client.wire.ended
    assert brief(client.enter())[0][1]["reason"] == 2
    client.wire.logout()
    client.pump()
    assert Client(exchange).wire.closed == "login rejected: S"


def test_wrong_bytes_close_the_connection_and_nothing_else():
    exchange, client = trading()
    client.wire.send(b"O too short")
    client.pump()
    assert "enter_order: expected 47 bytes, got 11" in client.server.closed
    with pytest.raises(ProtocolError):
        exchange.ports["TJ"].receive(b"?")
