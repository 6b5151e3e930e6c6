"""The registers of the order sessions over TCP (docs/order_entry.md); a part of registers.py."""

from hw.host_interface.map_types import Access, Dimension, Field, Register

RO, RW, WO = Access.RO, Access.RW, Access.WO

SESSION_VENUE = Dimension("venue", 8, 0x80)


def session_register(name: str, offset: int, access: Access, doc: str, **options) -> Register:
    return Register(f"SESSION_{name}", 0x1C00 + offset, access, doc, dimensions=(SESSION_VENUE,), **options)


SESSIONS = (
    Register("SESSION_VENUES", 0x1B80, RW, "One bit per venue: its orders go by its TCP session, and its answers come by it; 0: in UDP "
             "datagrams. To be changed only while disarmed.", bits=8),
    Register("SESSION_TICK", 0x1B84, RW, "Cycles of a tick, the unit of the sessions' times, less one; 0: time stands still.", bits=24),
    session_register("COMMAND", 0x00, WO, "Each bit that is 1 is an order to the session.", fields=(
        Field("open", 0, 1, "Connect and log in, as soon as what was before is over."), Field("close", 1, 1, "FIN."),
        Field("cut", 2, 1, "RST, and it is over."), Field("logout", 3, 1, "Ask the venue for the end. No order leaves from then on."),
        Field("ask", 4, 1, "Ask for the Ethernet address of SESSION_NEXT_HOP."))),
    session_register("STATE", 0x04, RO, "What it is doing.", fields=(
        Field("state", 0, 3, "TcpState: 0 closed, 1 SYN sent, 2 established, 3 to 7 on the way down."),
        Field("up", 3, 1, "Logged in: orders leave."), Field("known", 4, 1, "SESSION_HOP_MAC is the answer to the last question."),
        Field("reason", 8, 4, "DownReason: why it went down, since the last opening; 0: it did not."),
        Field("login_reason", 16, 8, "Why the venue rejected the login, ASCII."))),
    session_register("INITIAL_SEQUENCE", 0x08, RW, "Of TCP; one that nobody can guess."),
    session_register("TIMEOUT", 0x0C, RW, "Ticks without an acknowledgment after which it sends again, doubled with each try.", bits=16),
    session_register("KEEP_ALIVE", 0x10, RW, "Ticks of silence after which it asks whether the other side is there; 0: never.", bits=16),
    session_register("TRIES", 0x14, RW, "After so many without an answer it is down.", bits=4),
    session_register("HEARTBEAT", 0x18, RW, "Ticks after which it sends something if nothing was sent.", bits=16),
    session_register("SILENCE", 0x1C, RW, "Ticks after which a venue that says nothing is gone.", bits=16),
    session_register("USER", 0x20, RW, "Of the login: six ASCII characters, space padded, the first in bits 7:0.", bits=48),
    session_register("PASSWORD", 0x28, RW, "Its first eight characters, in the same way.", bits=64),
    session_register("PASSWORD_END", 0x30, RW, "The other two.", bits=16),
    session_register("NAME_END", 0x34, RW, "The last two of SESSION_NAME.", bits=16),
    session_register("NAME", 0x38, RW, "First eight characters of the session that is wanted, padded with spaces on its left; blank: "
                     "whatever there is.", bits=64),
    session_register("WANTED", 0x40, RW, "Last eight digits of the number of the next message wanted, ASCII, padded on the left.", bits=64),
    session_register("WANTED_HIGH", 0x48, RW, "The two digits before them.", bits=16),
    session_register("NUMBER", 0x4C, RO, "Of the venue's next message, from the login on; stays after the session."),
    session_register("TOLD_NAME", 0x50, RO, "First eight characters of the session that the venue told; while there is a connection.",
                     bits=64),
    session_register("TOLD_NAME_END", 0x58, RO, "The other two.", bits=16),
    session_register("UNACKNOWLEDGED", 0x5C, RO, "TCP's SND.UNA."),
    session_register("NEXT", 0x60, RO, "SND.NXT."),
    session_register("EXPECTED", 0x64, RO, "RCV.NXT."),
    session_register("HOP_MAC", 0x68, RO, "Ethernet address of SESSION_NEXT_HOP, as it answered.", bits=48),
    session_register("NEXT_HOP", 0x70, RW, "IPv4 address whose Ethernet address is asked for: the venue's, or a router's."),
)
