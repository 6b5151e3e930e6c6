"""Hypothesis strategies: messages of PITCH and DEEP 1.0, packets of them, and packets that something happened to."""

from hypothesis import strategies as st

from sim.flow import deep10, pitch
from sim.golden import iex_tp, pitch_unit

NAMES = ["A", "SPY", "BRK.B", "ZVZZT", "ABCDEF"]
"""All fit the short fields."""


def numbers(bits: int):
    """Numbers of so many bits, often at the edges."""
    return st.integers(0, (1 << bits) - 1) | st.sampled_from([0, 1, (1 << bits) - 1, 1 << bits - 1])


PRICES = st.integers(0, 0x7FFFFFFF) | st.sampled_from([0, 1, 0x7FFFFFFF])
OFFSETS, ORDERS, SIDES, SYMBOLS = st.integers(0, 999_999_999), numbers(64), st.sampled_from("BS"), st.sampled_from(NAMES)
LONG_SYMBOLS = SYMBOLS | st.just("ABCDEFGH")


def pitch_orders():
    """The messages that change a book."""
    return st.one_of(
        st.builds(pitch.add_long, OFFSETS, ORDERS, SIDES, numbers(32), SYMBOLS, PRICES),
        st.builds(pitch.add_short, OFFSETS, ORDERS, SIDES, numbers(16), SYMBOLS, numbers(16)),
        st.builds(pitch.add_expanded, OFFSETS, ORDERS, SIDES, numbers(32), LONG_SYMBOLS, PRICES),
        st.builds(pitch.executed, OFFSETS, ORDERS, numbers(32), numbers(64)),
        st.builds(pitch.executed_at_price, OFFSETS, ORDERS, numbers(32), numbers(32), numbers(64), numbers(64)),
        st.builds(pitch.reduce_long, OFFSETS, ORDERS, numbers(32)),
        st.builds(pitch.reduce_short, OFFSETS, ORDERS, numbers(16)),
        st.builds(pitch.modify_long, OFFSETS, ORDERS, numbers(32), PRICES),
        st.builds(pitch.modify_short, OFFSETS, ORDERS, numbers(16), numbers(16)),
        st.builds(pitch.delete, OFFSETS, ORDERS),
    )


def pitch_others():
    """Messages that change none; the last ones have a type that nobody knows."""
    return st.one_of(
        st.builds(pitch.time, st.integers(0, 86_399)),
        st.builds(pitch.trade_long, OFFSETS, SIDES, numbers(32), SYMBOLS, PRICES, numbers(64)),
        st.builds(pitch.trade_short, OFFSETS, SIDES, numbers(16), SYMBOLS, numbers(16), numbers(64)),
        st.builds(pitch.trade_expanded, OFFSETS, SIDES, numbers(32), LONG_SYMBOLS, PRICES, numbers(64)),
        st.builds(pitch.trade_break, OFFSETS, numbers(64)),
        st.builds(pitch.trading_status, OFFSETS, LONG_SYMBOLS, st.sampled_from("HQT")),
        st.builds(lambda body: bytes([2 + len(body), 0xE0]) + body, st.binary(min_size=4, max_size=253)),
    )


@st.composite
def grown(draw, messages):
    """A message, now and then with bytes at its end that a later edition of the format might add."""
    message = draw(messages)
    more = draw(st.sampled_from([b""] * 3 + [b"\x5a", b"\xff" * 5, bytes(9)]))
    return bytes([len(message) + len(more)]) + message[1:] + more if len(message) + len(more) < 256 else message


def pitch_messages():
    return grown(pitch_orders() | pitch_orders() | pitch_others())


def deep_messages():
    times = st.integers(0, (1 << 63) - 1)
    levels = st.builds(deep10.level, times, LONG_SYMBOLS, SIDES, numbers(32), PRICES, complete=st.booleans())
    return st.one_of(
        levels, levels, levels,
        st.builds(deep10.system_event, times, st.sampled_from("OSRMEC")),
        st.builds(deep10.directory, times, LONG_SYMBOLS),
        st.builds(deep10.trading_status, times, LONG_SYMBOLS, st.sampled_from("HOPT")),
        st.builds(deep10.trade, times, LONG_SYMBOLS, numbers(32), PRICES, numbers(63)),
        st.builds(deep10.security_event, times, LONG_SYMBOLS, st.sampled_from("OC")),
        st.builds(deep10.operational_halt, times, LONG_SYMBOLS, st.sampled_from("ON")),
        st.builds(deep10.official_price, times, LONG_SYMBOLS, st.sampled_from("QM"), PRICES),
    )  # fmt: skip


def pitch_packets():
    return st.builds(pitch_unit.pack_unit, numbers(8), st.integers(0, (1 << 32) - 256), st.lists(pitch_messages(), max_size=12))


def deep_packets():
    return st.builds(
        iex_tp.pack_segment, numbers(32), numbers(63), st.lists(deep_messages(), max_size=12),
        channel=numbers(32), offset=numbers(64), time=numbers(64),
    )  # fmt: skip


@st.composite
def mutated(draw, packets):
    """A packet that lost, gained or changed some bytes."""
    packet = bytearray(draw(packets))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(packet) - 1, 0)))
        match draw(st.sampled_from(["set", "cut", "insert", "remove"])):
            case "set" if packet:
                packet[at] = draw(st.integers(0, 255))
            case "cut":
                del packet[at:]
            case "insert":
                packet[at:at] = draw(st.binary(min_size=1, max_size=9))
            case "remove":
                del packet[at:at + draw(st.integers(1, 9))]
    return bytes(packet)
