"""What the parts of an order session over TCP tell each other (RFC 9293, SoupBinTCP)."""

from amaranth.lib import data, enum, stream


class TcpState(enum.Enum, shape=3):
    """RFC 9293, 3.3.2, of the side that opens: LISTEN and SYN-RECEIVED can't be. With CLOSE-WAIT the card sends its FIN at once."""

    CLOSED = 0
    SYN_SENT = 1
    ESTABLISHED = 2
    FIN_WAIT_1 = 3
    FIN_WAIT_2 = 4
    CLOSING = 5
    LAST_ACK = 6
    TIME_WAIT = 7


class TcpSegment(data.Struct):
    """The header of a segment that came."""

    sequence: 32
    acknowledgment: 32
    window: 16
    """As it stands in the header, not scaled."""
    fin: 1
    syn: 1
    rst: 1
    psh: 1
    ack: 1
    length: 16
    """Bytes of payload."""


class TcpHeader(data.Struct):
    """What of a segment's header that leaves is not the same in all of a session."""

    sequence: 32
    acknowledgment: 32
    window: 16
    fin: 1
    syn: 1
    """The eight bytes behind the header are options."""
    rst: 1
    ack: 1
    length: 8
    """Bytes behind the first twenty of the header: payload, or the options of a SYN."""
    sum: 24
    """Of these bytes as 16-bit numbers, of an odd number the last one is a high half; not folded. Has to be right from the fourth cycle
    of the segment on."""


class StreamWord(data.Struct):
    """Bytes to be sent, eight a word."""

    data: 64
    """The first byte in bits 7:0."""
    count: 4
    """Valid bytes: 8, but for the last word (1 to 8)."""
    last: 1


class SessionPacket(data.Struct):
    """A word of a packet to the other side."""

    word: StreamWord
    """The packet has up to seven of them, and at least 6 bytes with zeros that fill it up."""
    length: 8
    """Bytes of the packet, without what fills it up: 1 to 56. The same in every word."""


Bytes = stream.Signature(8)
"""What the other side has sent, in its order, each byte once."""
