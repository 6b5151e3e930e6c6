"""Whether a day fits a card, asked of small days made for it and of real ones."""

from random import Random

import pytest

from hw.book.order_store import OrderStore
from hw.config import ALVEO, ECP5, MEDIUM, TINY
from sim.capacity import PlacedBook, PlacedTable, fits
from sim.golden.itch50 import decode
from sim.readers.binary_file import read_binary_file
from tests.data import market_data
from tests.hw.book.model import BUY, SELL, add, cancel, delete, execute, replace


def crowd(count, *, price=lambda number: 5000, side=BUY, locate=7):
    return [add(1000 * number + 1, side, 10, price(number), locate=locate) for number in range(count)]


def test_as_many_orders_as_there_are_places_never_fit_all_but_half_of_them_do():
    assert fits(TINY, {7: 0}, crowd(TINY.orders // 2))
    assert not fits(TINY, {7: 0}, crowd(TINY.orders + 1))


def test_levels_are_counted_by_table():
    """Bids and asks have one each; the two symbols share them."""
    quarter = TINY.levels // 4
    days = [crowd(quarter, price=lambda number: 100 + number, side=side, locate=locate) for side in (BUY, SELL) for locate in (7, 8)]
    events = [event._replace(reference=event.reference + index) for index, day in enumerate(days) for event in day]
    assert fits(TINY, {7: 0, 8: 1}, events)
    assert not fits(TINY, {7: 0}, crowd(TINY.levels + 1, price=lambda number: 100 + number))


@pytest.mark.parametrize("leave", [
    lambda reference: [delete(reference, locate=7)],
    lambda reference: [execute(reference, 4, locate=7), cancel(reference, 6, locate=7)],
    lambda reference: [replace(reference, reference + 1, 5, 9, locate=7), execute(reference + 1, 9, locate=7)],
])
def test_places_are_given_back(leave):
    events = [event for order in crowd(4 * TINY.orders, price=lambda number: 1 + number) for event in (order, *leave(order.reference))]
    assert fits(TINY, {7: 0}, events)


@pytest.mark.parametrize(("config", "planned", "too_many"), [(TINY, 1 / 3, 1 / 2), (ECP5, 1 / 10, 3 / 10)])
def test_what_to_plan_for(config, planned, too_many):
    """Orders with any references come and go: at the load that the configuration names all find a place, at more of it not all do."""
    def refused(load):
        rng, table, live, count = Random(1), PlacedTable(OrderStore(config).table), [], 0
        for _ in range(30_000):
            if len(live) >= load * config.orders:
                table.remove(0, live.pop(rng.randrange(len(live))))
            reference = rng.getrandbits(64)
            if table.add(0, reference):
                live.append(reference)
            else:
                count += 1
        return count

    assert refused(planned) == 0
    assert refused(too_many) > 0


def test_what_has_no_place_is_left_out():
    book = PlacedBook(TINY)
    events = crowd(TINY.orders + 50)
    refused = [event for event in events if not book.apply(event, 0)]
    assert len(refused) >= 50
    assert book.apply(delete(refused[0].reference, locate=7), 0)


def test_other_symbols_and_slots_that_do_not_exist():
    events = crowd(TINY.orders + 1, locate=9)
    assert fits(TINY, {7: 0}, events)
    assert not fits(TINY, {7: TINY.symbols}, [])


@pytest.mark.parametrize(("name", "symbols", "answers"), [
    ("20120621_AMZN", 1, {TINY: False, ECP5: False, MEDIUM: True, ALVEO: True}),
    ("20191230_premarket", 16, {TINY: False, ECP5: False, ALVEO: True}),
    ("synthetic_mit", 3, {TINY: False, ECP5: False, ALVEO: True}),
])
def test_real_days(name, symbols, answers):
    events = [event for message in read_binary_file(market_data(f"nasdaq_itch50/{name}.itch50.gz")) if (event := decode(message))]
    locates = [event.locate for event in events]
    busiest = sorted(set(locates), key=locates.count)[-symbols:]
    bindings = {locate: symbol for symbol, locate in enumerate(busiest)}
    assert {card: fits(card, bindings, events) for card in answers} == answers
