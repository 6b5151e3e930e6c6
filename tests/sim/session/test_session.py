"""Sessions on the compiled card: they agree with themselves, and a card that cheats is caught."""

import pytest

from host.card.protocol import CardError
from host.card.registers import REGISTERS
from host.card.simulated import SimulatedCard
from hw.config import ECP5, TINY
from hw.reasons import DropReason
from sim.flow.market import Instrument, MarketSettings
from sim.flow.source import generated, limited
from sim.session.session import Session
from sim.session.settings import SessionSettings
from sim.verilated.build import library

MESSAGES = 4_000


@pytest.fixture(scope="module")
def built():
    return library(TINY)


def play(built, make=SimulatedCard, *, seed=1, messages=MESSAGES, **settings):
    source = limited(generated(MarketSettings(seed)), count=messages)
    with make(built) as card:
        return Session(card, TINY, source, SessionSettings(seed, **settings)).run()


@pytest.fixture(scope="module")
def record(built):
    return play(built)


def test_all_accounts_agree(record):
    assert [check for check in record.checks if not check.ok] == []
    assert record.reconciled
    assert len(record.sent) > 20
    assert sum(order.filled > 0 for order in record.sent) > 10
    assert record.messages == MESSAGES


def test_the_same_seed_gives_the_same_session(built, record):
    again = play(built)
    assert (again.sent, again.rejected, again.quotes, again.cycles) == (record.sent, record.rejected, record.quotes, record.cycles)
    assert play(built, seed=2, messages=2_000).sent[:5] != record.sent[:5]


def test_orders_take_what_the_books_offered(record):
    """Each order's price is the top of its venue's book when its trigger had taken effect."""
    for order in record.sent:
        book = [quote for quote in record.quotes if (quote.venue, quote.symbol) == (order.venue, order.symbol) and quote.time <= order.time]
        touched = [quote for quote in book if quote.time == order.time] or book[-1:]
        assert order.price in {quote.ask if order.side == "buy" else quote.bid for quote in touched + book[-1:]}


def test_latency_of_a_lone_message_is_constant_by_kind(record):
    groups = {}
    for order in record.sent:
        if order.leg == 1 and order.quiet:
            groups.setdefault(order.trigger, set()).add(order.from_end)
    assert groups
    assert all(len(values) == 1 for values in groups.values()), groups
    assert max(max(values) for values in groups.values()) <= 40


def test_start_of_message_comes_before_its_end(record):
    for order in record.sent:
        assert 2 <= order.from_start - order.from_end <= 6  # 19 to 40 bytes lie in three to six words


def test_damaged_copies_are_dropped_for_their_reason_and_cost_nothing(built):
    record = play(built, messages=2_000, damage_every=4)
    assert record.reconciled
    reasons = {reason.name for reason in DropReason if reason} - {"OVERFLOW"}
    assert {name for name, count in record.drops.items() if count} == reasons
    clean = play(built, messages=2_000, damage_every=0)
    assert sum(clean.drops.values()) == 0
    tops = [[(quote.venue, quote.symbol, quote.time, quote.bid, quote.ask) for quote in each.quotes] for each in (record, clean)]
    assert sorted(tops[0]) == sorted(tops[1])


@pytest.mark.parametrize(("settings", "reason"), [
    ({"max_shares": 1}, "MAX_SHARES"), ({"max_shares": 20, "max_notional": 20}, "MAX_NOTIONAL"),
    ({"leg_shares": 60, "max_shares": 60, "max_position": 60}, "POSITION"),
])
def test_a_tight_limit_refuses_orders_for_its_reason(built, settings, reason):
    record = play(built, messages=2_000, **settings)
    assert record.reconciled
    assert reason in {order.reason for order in record.rejected}
    assert all(order.shares <= settings["max_shares"] for order in record.sent)


def test_positions_stay_within_the_limit_at_every_step(built):
    record = play(built, max_shares=100, max_position=150, messages=6_000)
    assert record.reconciled
    assert any(order.reason == "POSITION" for order in record.rejected)
    assert all(abs(step.shares) <= 150 for step in record.positions)


def test_orders_stop_at_the_rate(built):
    record = play(built, messages=3_000, rate_burst=1, rate_interval=2_000_000)
    assert len(record.sent) <= 1 + record.cycles // 2_000_000
    assert any(order.reason == "RATE" for order in record.rejected)


class LosesAFrame(SimulatedCard):
    """An order frame never reaches the venue."""

    lost = False

    def take_frames(self):
        frames = super().take_frames()
        if frames and not self.lost:
            self.lost = True
            return frames[1:]
        return frames


class AltersAFrame(SimulatedCard):
    """One bit of the quantity of every order is wrong."""

    def take_frames(self):
        return [frame._replace(data=frame.data[:55] + bytes([frame.data[55] ^ 1]) + frame.data[56:]) for frame in super().take_frames()]


class ForgetsAReply(SimulatedCard):
    """The card misses what a venue said."""

    rung = 0

    def write32(self, offset, value):
        if offset == REGISTERS["REPLY_DOORBELL"].address():
            self.rung += 1
            if self.rung == 5:
                return
        super().write32(offset, value)


class SwallowsAMessage(SimulatedCard):
    """A feed frame is lost on the way."""

    count = 0

    def queue(self, port, frames, **options):
        self.count += 1
        if self.count == 40 and len(frames) > 1:
            frames = frames[1:]
            options = {name: values[1:] for name, values in options.items()}
        elif self.count == 40:
            self.count -= 1
        super().queue(port, frames, **options)


@pytest.mark.parametrize(("make", "noticed"), [
    (LosesAFrame, "orders reported by the card, found on the wire with the same fields"),
    (AltersAFrame, "orders on the wire that nobody reported"),
    (ForgetsAReply, "shares still working"),
    (SwallowsAMessage, "gaps"),
])
def test_a_card_that_cheats_is_caught(built, make, noticed):
    record = play(built, make, messages=2_000)
    assert not record.reconciled
    assert noticed in {check.name for check in record.checks if not check.ok}


def test_another_card_than_expected_is_refused(built):
    source = limited(generated(MarketSettings(1)), count=100)
    with SimulatedCard(built) as card, pytest.raises(CardError, match="should be ecp5"):
        Session(card, ECP5, source, SessionSettings(1)).run()


def test_more_symbols_than_the_card_has_are_refused(built):
    many = tuple(Instrument(f"SYM{number}", 50_0000) for number in range(5))
    source = limited(generated(MarketSettings(1, instruments=many)), count=100)
    with SimulatedCard(built) as card, pytest.raises(ValueError, match="4 symbols at 2 venues, the session needs 5 at 2"):
        Session(card, TINY, source, SessionSettings(1))
