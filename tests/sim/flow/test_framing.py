"""Messages into frames, judged by the golden receiver."""

from itertools import islice

from hw.reasons import DropReason
from sim.flow.framing import PACKET_LIMIT, WINDOW, FeedAddressing, frames
from sim.flow.market import Market, MarketSettings
from sim.golden.ethernet import receive
from sim.golden.moldudp64 import MoldUdp64Model

ADDRESSES = [FeedAddressing(0xE9360C6F + venue, 26_477 + venue, b"SESSION%03d" % venue) for venue in range(2)]


def some_messages(count=8_000, seed=1):
    return list(islice(Market(MarketSettings(seed=seed)).messages(), count))


def test_every_message_arrives_once_in_order_in_time():
    messages = some_messages()
    receivers, arrived, clock = [MoldUdp64Model(), MoldUdp64Model()], [[], []], 0
    for frame in frames(messages, ADDRESSES):
        address = ADDRESSES[frame.venue]
        received = receive(frame.data, address.ip, address.port)
        assert received.reason == DropReason.NONE
        outcome = receivers[frame.venue].packet(received.payload)
        assert outcome.gap is None
        assert [delivered.sequence for delivered in outcome.messages][0] == frame.sequence
        arrived[frame.venue] += [delivered.message for delivered in outcome.messages]
        assert frame.time >= clock
        clock = frame.time
    for venue in (0, 1):
        assert arrived[venue] == [message.data for message in messages if message.venue == venue]


def test_packets_hold_what_comes_within_the_window_and_fits():
    sizes = []
    for frame in frames(some_messages(), ADDRESSES):
        assert len(frame.data) <= 42 + PACKET_LIMIT
        assert frame.places[-1].time - frame.places[0].time <= WINDOW
        sizes.append(len(frame.places))
    assert sizes.count(1) > 500
    assert max(sizes) > 3


def test_places_point_at_the_messages_words():
    for frame in islice(frames(some_messages(2_000), ADDRESSES), 500):
        for place in frame.places:
            words = frame.data[8 * place.first_word : 8 * place.last_word + 8]
            assert place.kind.encode() in words[:8]
        assert {place.alone for place in frame.places} == {len(frame.places) == 1}


def test_first_word_is_exact():
    """The type byte of the first message lies behind 42 bytes of headers, 20 of MoldUDP64 and 2 of length."""
    frame = next(frames(some_messages(1), ADDRESSES))
    assert frame.places[0][2:4] == (64 // 8, (64 + 12 - 1) // 8)
