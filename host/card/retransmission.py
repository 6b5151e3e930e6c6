"""Asks a MoldUDP64 retransmission server for what a card has missed; format: MoldUDP64 1.00, request packet."""

import socket
from collections.abc import Iterator

HEADER_BYTES = 20
"""Of a request, and of what comes back before its messages: session (10 characters), sequence number (8 bytes), count (2), big endian."""

MOST_MESSAGES = 0xFFFE
LARGEST_REPLY = 65_507
ATTEMPTS = 3


class NoReplyError(Exception):
    """The server does not answer, or not with what was asked for."""


def request(session: bytes, first: int, count: int) -> bytes:
    """The packet that asks for ``count`` messages from number ``first`` on.

    Parameters
    ----------
    session : bytes
        Ten characters, as the gap event has them.
    first : int
        1 to 2^64 - 1.
    count : int
        1 to 65,534.
    """
    if len(session) != 10:
        raise ValueError(f"a session has 10 characters, not {len(session)}: {session!r}")
    if not 1 <= first < 1 << 64:
        raise ValueError(f"sequence numbers are 1 to 2^64 - 1, not {first}")
    if not 1 <= count <= MOST_MESSAGES:
        raise ValueError(f"a request is for 1 to {MOST_MESSAGES} messages, not {count}")
    return session + first.to_bytes(8, "big") + count.to_bytes(2, "big")


def replies(server: socket.socket, session: bytes, first: int, count: int, *, most: int) -> Iterator[bytes]:
    """The packets that together hold all messages asked for, in order; each is asked for once the one before has come.

    Parameters
    ----------
    server : socket
        UDP, connected, with the timeout after which a request or its reply counts as lost.
    session, first, count
        What is missing, as a gap event says it.
    most : int
        Messages that the card takes at a time (CONFIG_RECOVERY). A server sends fewer where they do not fit a packet.

    Raises
    ------
    NoReplyError
        Nothing came after three requests for the same message.
    """
    end = first + count
    while first < end:
        packet = _reply(server, session, first, min(most, end - first, MOST_MESSAGES))
        yield packet
        first += int.from_bytes(packet[18:20], "big")


def _reply(server: socket.socket, session: bytes, first: int, count: int) -> bytes:
    for _ in range(ATTEMPTS):
        server.send(request(session, first, count))
        try:
            while True:
                packet = server.recv(LARGEST_REPLY)
                if packet[:18] == session + first.to_bytes(8, "big") and 1 <= int.from_bytes(packet[18:20], "big") <= count:
                    return packet
        except TimeoutError:
            continue
    raise NoReplyError(f"no reply to {ATTEMPTS} requests for message {first} of session {session!r}")
