"""Opening and watching order sessions, orders that nobody has answered, and numbers that survive a restart."""

import pytest

from host.card.control import Control
from host.card.events import OrderSent, SessionChange, VenueMessage, decode
from host.card.protocol import CardError
from host.card.registers import EVENT_HEADER, EVENTS, REGISTERS, DownReason, EventKind, Fate
from host.card.sessions import Login, Times, Unanswered, UserRefs
from sim.session.desk import order_addresses, written
from tests.host.card.model_card import ModelCard

ADDRESS = written(order_addresses(1)[0])


def control(*, sessions=1):
    card = ModelCard("tiny")
    card.put("CONFIG_SESSIONS", sessions)
    return card, Control(card)


def text(value, length):
    return value.to_bytes(length, "little").decode()


def test_a_login_stands_in_the_registers_as_it_does_in_the_packet():
    card, host = control()
    host.sessions.open(1, Login("TJ", "TRAPJAW", "DAY1"), number=1234567890, initial_sequence=77)
    assert text(card.get("SESSION_USER", 1), 6) == "TJ    "
    assert text(card.get("SESSION_PASSWORD", 1), 8) + text(card.get("SESSION_PASSWORD_END", 1), 2) == "TRAPJAW   "
    assert text(card.get("SESSION_NAME", 1), 8) + text(card.get("SESSION_NAME_END", 1), 2) == "      DAY1"
    assert text(card.get("SESSION_WANTED_HIGH", 1), 2) + text(card.get("SESSION_WANTED", 1), 8) == "1234567890"
    assert card.get("SESSION_INITIAL_SEQUENCE", 1) == 77
    assert card.writes[-1] == (REGISTERS["SESSION_COMMAND"].address(1), 1)
    host.sessions.open(0, Login("A", "B"))
    assert text(card.get("SESSION_WANTED", 0), 8) == "       1"
    for act, bit in ((host.sessions.close, 2), (host.sessions.cut, 4), (host.sessions.logout, 8)):
        act(0)
        assert card.writes[-1] == (REGISTERS["SESSION_COMMAND"].address(0), bit)


@pytest.mark.parametrize(("login", "number"), [
    (Login("TOOLONG", "P"), 1), (Login("U", "ELEVENCHARS"), 1), (Login("U", "P", "ELEVENCHARS"), 1), (Login("Ü", "P"), 1),
    (Login("U", "P"), -1), (Login("U", "P"), 10**10),
])
def test_a_login_that_does_not_fit_is_refused_before_anything_is_written(login, number):
    card, host = control()
    with pytest.raises(ValueError, match=r"does not fit|number is"):
        host.sessions.open(0, login, number=number)
    assert card.writes == []


def test_state_and_settings():
    card, host = control()
    host.sessions.use([1], tick_cycles=100)
    assert (card.get("SESSION_VENUES"), card.get("SESSION_TICK")) == (0b10, 99)
    host.sessions.set_up(1, ADDRESS, Times(tries=3))
    assert (card.get("ORDER_DESTINATION_PORT", 1), card.get("SESSION_TRIES", 1)) == (ADDRESS.destination_port, 3)
    card.put("SESSION_STATE", REGISTERS["SESSION_STATE"].pack(state=2, up=1, known=1, reason=7, login_reason=ord("A")), 1)
    state = host.sessions.state(1)
    assert (state.state, state.up, state.reason, state.login_reason) == ("established", True, DownReason.LOGIN_REJECTED, "A")
    card.put("SESSION_HOP_MAC", 0x020000000001, 1)
    assert host.sessions.resolve(1, "10.0.0.1") == "02:00:00:00:00:01"
    with pytest.raises(CardError, match="is established"):
        host.sessions.set_up(1, ADDRESS)
    with pytest.raises(ValueError, match="venues 0 to 1"):
        host.sessions.use([2])


def test_a_card_without_sessions_says_so():
    card, host = control(sessions=0)
    with pytest.raises(CardError, match="no order sessions"):
        host.sessions.use([0])
    assert card.writes == []


def event(kind, **values):
    fields = {field.name: field for field in (*EVENT_HEADER, *EVENTS[kind])}
    number = sum(value << fields[name].lsb for name, value in ({"kind": kind} | values).items())
    return decode([number >> 32 * word & 0xFFFFFFFF for word in range(8)])


def test_what_venues_have_not_answered():
    unanswered = Unanswered()
    for user_ref in (4, 5, 6):
        unanswered.note(event(EventKind.ORDER_SENT, venue=1, user_ref=user_ref))
    unanswered.note(event(EventKind.ORDER_SENT, venue=1, user_ref=4, order_kind=2))
    message = event(EventKind.VENUE_MESSAGE, venue=1, type=ord("A"), user_ref=5, number=9, price=7, unsure=1)
    assert isinstance(message, VenueMessage)
    assert (message.type, message.user_ref, message.number, message.price, message.unsure) == ("A", 5, 9, 7, True)
    unanswered.note(message)
    assert (unanswered.of(1), unanswered.of(0)) == ([4, 6], [])
    unanswered.note(event(EventKind.ORDER_SENT, venue=1, user_ref=6, fate=Fate.ABORTED))
    unanswered.note(event(EventKind.ORDER_SENT, venue=1, user_ref=7, fate=Fate.THROWN_AWAY))
    assert (unanswered.of(1), unanswered.never_left(1), unanswered.never_left(0)) == ([4, 6, 7], [6, 7], [])
    unanswered.forget(1)
    assert (unanswered.of(1), unanswered.never_left(1)) == ([], [])
    change = event(EventKind.SESSION, venue=1, up=0, reason=10, number=3)
    assert change == SessionChange(0, False, 1, False, DownReason.SILENT, 3)
    assert isinstance(event(EventKind.ORDER_SENT), OrderSent)


def test_no_number_comes_again_after_a_restart(tmp_path):
    path = tmp_path / "refs.json"
    card, host = control()
    refs = UserRefs(path, 2, ahead=100)
    card.put("USER_REF", 1, 0), card.put("USER_REF", 1, 1)
    refs.begin(host)
    card.put("USER_REF", 140, 1)  # it has sent many
    refs.keep(host)
    card.put("USER_REF", 170, 1)  # and the host dies
    card, host = control()
    UserRefs(path, 2, ahead=100).begin(host)
    assert card.get("USER_REF", 1) >= 170
    card.put("USER_REF", 500, 0)  # the card lives, its host does not
    refs = UserRefs(path, 2, ahead=100)
    refs.begin(host)
    assert card.get("USER_REF", 0) == 500
    refs.end(host)
    card, host = control()
    UserRefs(path, 2).begin(host)
    assert card.get("USER_REF", 0) == 500


@pytest.mark.parametrize("content", ["", "[1]", "[1, 0]", "{}", '["1", 2]'])
def test_a_file_that_tells_no_numbers_is_not_taken_for_a_new_day(tmp_path, content):
    path = tmp_path / "refs.json"
    path.write_text(content)
    with pytest.raises(CardError, match="does not hold"):
        UserRefs(path, 2)
