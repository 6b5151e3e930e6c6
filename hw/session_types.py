"""What a venue's order session is told by the host, and what it tells host and gateway."""

from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.reasons import DownReason
from hw.tcp_types import TcpState
from hw.venue_reply import VenueMessage, VenueReply


class Login(data.Struct):
    """A login request as it stands in the packet: ASCII, the first character of each in bits 7:0, padded with spaces."""

    user: 48
    """On its right."""
    password: 80
    session: 80
    """On its left; blank: whatever there is."""
    sequence: 160
    """Digits, padded on their left: the next message wanted. 1 is the day's first, 0 only what is new."""


def SessionControl() -> wiring.Signature:
    """What the host tells a venue's session, and what it sees of it.

    Members
    -------
    enable : Out(1)
        The venue's orders go by its session; else in datagrams.
    open, close, cut, logout, initial_sequence, timeout, keep_alive, tries, login, heartbeat, silence : Out
        As of ``OrderSession``.
    ask : Out(1), next_hop : Out(32)
        Pulse: ask for its Ethernet address.
    state, up, reason, login_reason, number, unacknowledged, next, expected : In; name : In(80)
        As of ``OrderSession``, whose ``session`` is ``name`` here.
    known : In(1), hop_mac : In(48)
        As of ``Arp``.
    """
    return wiring.Signature({
        "enable": Out(1), "open": Out(1), "close": Out(1), "cut": Out(1), "logout": Out(1), "initial_sequence": Out(32),
        "timeout": Out(16), "keep_alive": Out(16), "tries": Out(4), "login": Out(Login), "heartbeat": Out(16), "silence": Out(16),
        "ask": Out(1), "next_hop": Out(32),
        "state": In(TcpState), "up": In(1), "reason": In(DownReason), "login_reason": In(8), "number": In(32), "unacknowledged": In(32),
        "next": In(32), "expected": In(32), "name": In(80), "known": In(1), "hop_mac": In(48),
    })


class ToldReply(data.Struct):
    """A venue's message, for the gateway and for the host."""

    reply: VenueReply
    message: VenueMessage
    unsure: 1
    """It says what the card can't work out; the host should look."""
