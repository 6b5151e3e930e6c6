"""The bank's part for the order sessions: what the host has written becomes their settings."""

from amaranth.hdl import Cat, Const

from hw.host_interface.fields import parts

SETTINGS = ("initial_sequence", "timeout", "keep_alive", "tries", "heartbeat", "silence", "next_hop")
SHOWN = ("number", "unacknowledged", "next", "expected", "hop_mac")
BLANKS = int.from_bytes(b" " * 10, "little")
"""Before the ten digits that the host gives of a number of twenty."""


def set_up_sessions(m, bank, value, written, source):
    """Joins the bank's ports for the sessions with the register file's ``value``, ``written`` and ``source``."""
    m.d.comb += [source.config_sessions.eq(bank.config.sessions), bank.session_tick.eq(value.session_tick)]
    for venue, session in enumerate(bank.sessions):
        login = session.login
        m.d.comb += [
            session.enable.eq(value.session_venues[venue]),
            *(getattr(session, command).eq(written.session_command[venue] & bit)
              for command, bit in parts(value.session_command[venue], "SESSION_COMMAND")),
            *(getattr(session, name).eq(getattr(value, f"session_{name}")[venue]) for name in SETTINGS),
            login.user.eq(value.session_user[venue]),
            login.password.eq(Cat(value.session_password[venue], value.session_password_end[venue])),
            login.session.eq(Cat(value.session_name[venue], value.session_name_end[venue])),
            login.sequence.eq(Cat(Const(BLANKS, 80), value.session_wanted_high[venue], value.session_wanted[venue])),
            *(getattr(source, f"session_{name}")[venue].eq(getattr(session, name)) for name in SHOWN),
            Cat(source.session_told_name[venue], source.session_told_name_end[venue]).eq(session.name),
            source.session_state[venue].eq(Cat(
                session.state, session.up, session.known, Const(0, 3), session.reason, Const(0, 4), session.login_reason)),
        ]
