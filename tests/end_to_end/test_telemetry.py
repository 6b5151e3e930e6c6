"""The compiled card's clock and histogram: the times of an order's two frames, and what the histogram says of it."""

from host.card.clock import Timestamps, adjust_clock, clock_time, set_clock, set_rate
from host.card.events import ClockReading, OrderSent
from host.card.latency import Bin, clear_latencies, latencies
from hw.config import TINY
from sim.golden.records import BUY, SELL
from sim.golden.trigger import STRATEGY as TRIGGER
from tests.end_to_end.test_triggers import BUYS, enable, prepare
from tests.end_to_end.trading import trading

NOON = 1_900_000_000 * 10**9


def test_times_and_latencies_of_orders():
    with trading() as desk:
        card, control, times = desk.card, desk.control, Timestamps()

        def order():
            """The one order that a prepared one becomes."""
            prepare(desk, 0, BUYS)
            desk.add(1, 2, SELL, 50, 1_000_000)
            events = control.drain_events()
            for event in events:
                times.hear(event)
            (sent,) = (event for event in events if isinstance(event, OrderSent) and event.strategy == TRIGGER)
            return sent

        enable(desk)
        assert clock_time(control) == 0
        assert times.of(order()) is None
        before = card.cycle
        set_clock(control, NOON)
        after = card.cycle
        sent = order()
        (frame, *_) = card.take_frames()[-1:]
        left, came = times.of(sent), times.of_trigger(sent)
        # A write takes three cycles to the clock, and two until it shows.
        assert 6.4 * (frame.first_cycle - after - 5) <= left - NOON <= 6.4 * (frame.first_cycle - before)
        assert 0 <= left - came - sent.latency * 32 // 5 <= 1

        adjust_clock(control, -1_000_000)
        assert NOON - 1_000_000 < times.of(order()) < NOON
        set_rate(control, 100_000_000)  # a tenth faster
        card.run(100)
        start, cycle = clock_time(control), card.cycle
        card.run(10_000)
        assert abs(clock_time(control) - start - (card.cycle - cycle) * 7.04) < 8

        seen = latencies(control)
        assert (seen.orders, seen.total) == (3, 3 * sent.latency)
        assert seen.bins == (Bin(sent.latency, sent.latency, 3),)
        control.send_order(venue=0, symbol=2, side=BUY, shares=1, price=10_000)
        card.run(1_000)
        assert latencies(control).orders == 3, "no feed message caused it"
        clear_latencies(control)
        assert latencies(control).orders == 0
        order()
        assert latencies(control).bins == (Bin(sent.latency, sent.latency, 1),)


def test_one_reading_tells_of_a_clock_that_was_set_with_its_rate():
    with trading() as desk:
        set_clock(desk.control, NOON)
        desk.card.run(100)
        readings = [event for event in desk.control.drain_events() if isinstance(event, ClockReading)]
        assert len(readings) == 1
        assert readings[0].increment == round(2**32 * 10**9 / TINY.clock_hz)
