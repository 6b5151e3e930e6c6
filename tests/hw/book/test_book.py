"""The book against its contract, case by case, and against the reference book on random streams."""

from random import Random

import pytest

from hw.book.book import Book
from hw.book.far_levels import FarLevels
from hw.book.near_levels import NearLevels
from hw.book.order_store import OrderStore
from hw.config import TINY, CardConfig
from sim.capacity import PlacedBook, PlacedTable
from sim.golden.records import ADD, DELETE, HALT, REPLACE, RESUME, SET, BookEvent
from tests.hw.bench import made, simulate
from tests.hw.book.driver import event_bits, run_book
from tests.hw.book.model import BUY, MAX, SELL, add, alike, cancel, check, delete, execute, flow, replace, set_order

EMPTY = (0, 0, 0)
DEEP = CardConfig("deep", venues=2, symbols=1, orders=64, levels=1 << 13, backlog=128, events=16)


def answers(events, **options):
    """Top, stale and changed after each event."""
    return [(record.top, record.stale, record.changed) for record in run_book(Book(TINY), events, **options).records]


def tops(events):
    return [top for top, _, _ in answers(events)]


def pulses(events):
    return dict(run_book(Book(TINY), events).pulses)


def test_add_improves_joins_or_rests_behind():
    assert tops([
        add(1, BUY, 100, 5000), add(2, BUY, 50, 5000), add(3, BUY, 10, 5100), add(4, BUY, 70, 4900),
        add(5, SELL, 30, 5300), add(6, SELL, 20, 5200), add(7, SELL, 1, 5400), add(8, SELL, 2, 5200),
    ]) == [
        (5000, 100, 1, *EMPTY), (5000, 150, 2, *EMPTY), (5100, 10, 1, *EMPTY), (5100, 10, 1, *EMPTY),
        (5100, 10, 1, 5300, 30, 1), (5100, 10, 1, 5200, 20, 1), (5100, 10, 1, 5200, 20, 1), (5100, 10, 1, 5200, 22, 2),
    ]  # fmt: skip


def test_shares_go_and_the_order_dies_with_the_last():
    assert tops([
        add(1, SELL, 100, 5000), add(2, SELL, 100, 5000), execute(1, 30), cancel(1, 20), execute(1, 50), execute(1, 1), cancel(2, 100),
    ]) == [
        (*EMPTY, 5000, 100, 1), (*EMPTY, 5000, 200, 2), (*EMPTY, 5000, 170, 2), (*EMPTY, 5000, 150, 2), (*EMPTY, 5000, 100, 1),
        (*EMPTY, 5000, 100, 1), (*EMPTY, *EMPTY),
    ]  # fmt: skip


def test_next_best_is_found_when_the_best_level_empties():
    prices = [7000, 1, 6500, 2_000_000_000, 4, 1_000_000_000, 6501, MAX]
    events = [add(number, side, number, price) for side in (BUY, SELL) for number, price in enumerate(prices, 1 + 10 * side)]
    bids, asks = sorted(prices, reverse=True), sorted(prices)
    events += [delete(1 + prices.index(price)) for price in bids] + [delete(11 + prices.index(price)) for price in asks]
    seen = tops(events)[16:]
    best = {price: (price, 1 + prices.index(price), 1) for price in prices}
    ask = (asks[0], 11 + prices.index(asks[0]), 1)
    assert seen[:8] == [(*best.get(price, EMPTY), *ask) for price in [*bids[1:], None]]
    assert [top[3] for top in seen[8:]] == [*asks[1:], 0]


def test_replace_keeps_side_and_symbol_of_the_old_order():
    run = run_book(Book(TINY), [
        add(1, SELL, 100, 5000, locate=2), add(2, SELL, 100, 4900, locate=2), replace(2, 3, 40, 5100, locate=1), replace(1, 4, 7, 5200),
        delete(3), execute(2, 1), delete(4),
    ])  # fmt: skip
    assert [record.symbol for record in run.records] == [2, 2, 2, 2, 2, 0, 2]
    assert [record.top[3:] for record in run.records] == [
        (5000, 100, 1), (4900, 100, 1), (5000, 100, 1), (5100, 40, 1), (5200, 7, 1), EMPTY, EMPTY,
    ]  # fmt: skip
    assert run.pulses == {"unknown_reference": 1}


def test_replace_by_the_same_reference_price_and_shares_changes_nothing():
    seen = answers([
        add(1, BUY, 100, 5000), replace(1, 1, 100, 5000), replace(1, 2, 100, 5000), add(3, BUY, 5, 5000), replace(3, 4, 5, 5000),
        replace(4, 5, 6, 5000), replace(5, 6, 6, 4000), replace(6, 7, 6, 4000),
    ])  # fmt: skip
    assert [changed for _, _, changed in seen] == [1, 0, 0, 1, 0, 1, 1, 0]
    assert seen[-1][0] == (5000, 100, 1, *EMPTY)


def test_unknown_reference_changes_nothing_but_has_its_record():
    run = run_book(Book(TINY), [
        add(1, BUY, 100, 5000, locate=1), delete(9, locate=1), execute(9, 1), replace(9, 10, 5, 5100, locate=1), cancel(10, 5, locate=1),
    ])  # fmt: skip
    assert [(record.symbol, record.top[:3], record.stale, record.changed) for record in run.records] == [
        (1, (5000, 100, 1), 0, 1), (1, (5000, 100, 1), 0, 0), (0, EMPTY, 0, 0), (1, (5000, 100, 1), 0, 0), (1, (5000, 100, 1), 0, 0),
    ]  # fmt: skip
    assert run.pulses == {"unknown_reference": 4}


def test_the_whole_reference_is_the_key():
    references = [1 << bit for bit in range(64)]
    events = [add(reference, BUY, 1 + bit, 5000) for bit, reference in enumerate(references)]
    events += [delete(reference ^ 1 << 63) for reference in references[:63]] + [delete(reference) for reference in references]
    run = run_book(Book(TINY), events)
    total = sum(range(1, 65))
    assert {record.top[:3] for record in run.records[64:127]} == {(5000, total, 64)}
    assert [record.top[1] for record in run.records[127:]] == [sum(range(2 + bit, 65)) for bit in range(64)]
    assert run.pulses == {"unknown_reference": 63}


@pytest.mark.parametrize(("events", "top", "pulse"), [
    ([add(1, BUY, 9, 70), add(1, SELL, 9, 80)], None, "duplicate_reference"),
    ([add(1, BUY, 9, 70), add(2, BUY, 9, 80), replace(1, 2, 5, 90)], (80, 9, 1, *EMPTY), "duplicate_reference"),
    ([add(1, BUY, 9, 70), execute(1, 10)], (*EMPTY, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), add(2, BUY, 1, 70), cancel(1, MAX)], (70, 1, 1, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), add(2, BUY, 0, 80)], (70, 9, 1, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), add(2, BUY, 9, 0)], (70, 9, 1, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), add(2, BUY, 1, 60), replace(1, 3, 0, 80)], (60, 1, 1, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), replace(1, 3, 5, 0)], (*EMPTY, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), set_order(1, BUY, 5, 0)], (*EMPTY, *EMPTY), "bad_event"),
    ([add(1, BUY, 9, 70), set_order(2, BUY, 5, 0)], (70, 9, 1, *EMPTY), "bad_event"),
    ([add(1, SELL, MAX, 70), add(2, SELL, 2, 70)], (*EMPTY, 70, 1, 2), "overflow"),
])
def test_an_event_that_contradicts_the_book_makes_its_symbol_stale(events, top, pulse):
    others = [add(50, SELL, 3, 900, locate=1), add(51, SELL, 3, 900, locate=0), delete(52)]
    run = run_book(Book(TINY), [*events, *others])
    assert [record.stale for record in run.records] == [0] * (len(events) - 1) + [1, 0, 1, 1]
    if top is not None:  # else its prices mean nothing any more
        assert run.records[len(events) - 1].top == top
        assert [record.changed for record in run.records[-2:]] == [int(top[3:] == EMPTY), 0]
    assert run.pulses == {pulse: 1, "unknown_reference": 1}


def test_a_total_that_does_not_fit_behind_the_best_is_seen_with_the_next_record():
    run = run_book(Book(TINY), [add(1, BUY, MAX, 70), add(2, BUY, 1, 80), add(3, BUY, 1, 70), *[delete(99)] * 2, delete(2), delete(3)])
    assert run.pulses == {"overflow": 1, "unknown_reference": 2}
    assert [(record.top[:3], record.stale) for record in run.records[4:]] == [((80, 1, 1), 1), ((70, 0, 2), 1), ((70, MAX, 1), 1)]


def ladder(side, levels, *, first=1, locate=0):
    """An order a level, the best first; the shares say which level."""
    step = 100 if side == SELL else -100
    return [add(first + number, side, 1 + number, 50_000 + number * step, locate=locate) for number in range(levels)]


def test_a_total_that_does_not_fit_on_a_far_level_is_seen_later():
    levels = ladder(BUY, NearLevels.LEVELS + 1)
    run = run_book(Book(TINY), [*levels, add(900, BUY, MAX, levels[-1].price), *[delete(999)] * 19])
    assert run.pulses == {"overflow": 1, "unknown_reference": 19}
    assert [record.stale for record in run.records[-20:]][::19] == [0, 1]


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("order", ["best first", "worst first", "mixed"])
def test_levels_come_back_from_afar(side, order):
    """Far deeper than the near levels, added and taken away in several orders, on two symbols."""
    levels = [event for pair in zip(ladder(side, 40), ladder(side, 40, first=1000, locate=2), strict=True) for event in pair]
    if order != "best first":
        levels = levels[::-1]
    goes = sorted(levels, key=lambda event: event.price, reverse=side == BUY)
    if order == "mixed":
        Random(5).shuffle(levels)
        Random(6).shuffle(goes)
    events = [*levels, *(delete(event.reference, locate=event.locate) for event in goes)]
    run = run_book(Book(TINY), events, deadline=20_000)
    check(events, run)
    assert not run.pulses


def test_a_new_level_behind_far_ones_is_far_itself_though_a_cell_is_free():
    levels = ladder(BUY, NearLevels.LEVELS + 4)
    holes, rest = levels[3:7], [*levels[:3], *levels[7:]]
    worst = add(900, BUY, 77, levels[-1].price - 500)
    events = [*levels, *(delete(event.reference) for event in holes), worst, *(delete(event.reference) for event in rest)]
    run = run_book(Book(TINY), events)
    check(events, run)
    assert run.records[-1].top[:3] == (worst.price, 77, 1)
    assert not run.pulses


def test_a_full_order_store_makes_only_that_symbol_stale():
    events = [add(reference, BUY, 1, 1000 + reference % 8, locate=1) for reference in range(0, 1 << 20, 3)]
    places = PlacedBook(TINY)
    full = next(index for index, event in enumerate(events) if not places.apply(event, 1))
    events = [*events[: full + 1], add(7, SELL, 5, 9000), delete(0, locate=1)]
    run = run_book(Book(TINY), events)
    assert run.pulses == {"store_full": 1}
    assert run.refused == {full}
    assert full > TINY.orders // 3
    assert [record.stale for record in run.records] == [0] * full + [1, 0, 1]
    check(events, run)


def test_no_room_for_a_far_level_makes_only_that_symbol_stale():
    """The table of far levels is asked for the worst ones; the near ones are not in it."""
    levels = ladder(SELL, TINY.levels + NearLevels.LEVELS + 1, locate=3)
    far = FarLevels(TINY)
    table = PlacedTable(far.table)
    full = next(number for number, event in enumerate(levels[NearLevels.LEVELS:]) if not table.add(*far.place_of(7, event.price ^ MAX)))
    assert full > TINY.levels // 2
    events = [*levels[:NearLevels.LEVELS + full + 1], *[delete(999, locate=1)] * 200,
              delete(999, locate=3), add(900, BUY, 5, 9000, locate=2)]
    run = run_book(Book(TINY), events)
    assert run.pulses == {"levels_full": 1, "unknown_reference": 201}
    assert [record.symbol for record in run.records if record.stale] == [3]
    check(events, run, lost=1)


def test_clear_forgets_everything():
    async def clear(ctx):
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert ctx.get(dut.busy)
        assert not ctx.get(dut.events.ready)

    dut = made(Book, TINY)
    before = [*flow(1, 60, faults=0), add(5, BUY, 1, 1), add(5, BUY, 1, 1)]
    after = [*(delete(event.reference, locate=event.locate) for event in before), *flow(1, 60, faults=0)]
    run = run_book(dut, [*before, *after], acts={len(before): clear})
    forgotten = run.records[len(before) : len(before) + len(before)]
    assert {(record.top, record.stale, record.changed) for record in forgotten} == {((*EMPTY, *EMPTY), 0, 0)}
    assert run.pulses["unknown_reference"] >= len(before)
    again = run.records[-60:]
    assert [(record.top, record.changed) for record in again] == [(record.top, record.changed) for record in run.records[:60]]


@pytest.mark.parametrize("delay", range(9))
@pytest.mark.parametrize("event", [add(1, BUY, 9, 70), replace(5, 6, 9, 70), delete(5)])
def test_an_event_under_way_when_the_book_begins_anew_is_answered_as_stale(event, delay):
    """Its record shows a book that is being forgotten, and may come when the quotes are forgotten already."""
    dut, stale = Book(TINY), []

    async def testbench(ctx):
        ctx.set(dut.tops.ready, 1)
        ctx.set(dut.events.payload.as_value(), event_bits(event, 1))
        ctx.set(dut.events.valid, 1)
        while not ctx.get(dut.events.ready):
            await ctx.tick()
        await ctx.tick()
        ctx.set(dut.events.valid, 0)
        for cycle in range(16):
            if ctx.get(dut.tops.valid):
                stale.append(ctx.get(dut.tops.payload.stale))
            ctx.set(dut.clear, cycle == delay)
            await ctx.tick()

    simulate(dut, testbench)
    answered_before = delay >= {ADD: dut.LATENCY, DELETE: 6, REPLACE: 8}[event.kind] - 1  # the record was there when the clear came
    assert stale == [0 if answered_before else 1]


def status(kind, side=BUY, *, locate=0):
    return BookEvent(kind, side, locate, 1, 0, 0, 0, 0)


def test_halts_and_resumptions_are_answered_in_three_cycles_and_leave_the_book_alone():
    """Reference 1 is live, and a status that carries its number must not touch it."""
    events = [
        add(1, BUY, 9, 70), status(RESUME), status(RESUME), status(HALT, SELL), status(HALT), status(RESUME, SELL), execute(1, 4),
        status(RESUME), add(2, SELL, 5, 80, locate=1), status(HALT), delete(1),
    ]
    run = run_book(Book(TINY), events)
    assert [record.halted for record in run.records] == [1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1]
    assert [record.changed for record in run.records] == [1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1]
    assert [record.top[:3] for record in run.records[:8]] == [(70, 9, 1)] * 6 + [(70, 5, 1)] * 2
    assert [latency for event, latency in zip(events, run.latencies, strict=True) if event.kind >= HALT] == [3, 3, 3, 3, 3, 6, 6]
    assert set(run.occupied) == {2}
    assert not run.pulses


def test_what_is_assumed_holds_until_the_venue_speaks_and_after_a_fresh_start():
    dut = made(Book, TINY)

    async def assume(ctx):
        ctx.set(dut.assume_trading, 0b01)

    async def clear(ctx):
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)

    async def check(ctx):
        assert ctx.get(dut.halted) == 0b1100

    events = [add(1, BUY, 9, 70), add(2, BUY, 9, 70, locate=1), status(HALT), status(RESUME, locate=1), status(RESUME), add(3, BUY, 1, 5),
              add(1, BUY, 9, 70), add(2, BUY, 9, 70, locate=1)]
    run = run_book(dut, events, acts={0: assume, 5: check, 6: clear})
    assert [(record.symbol, record.halted) for record in run.records] == [(0, 0), (1, 1), (0, 1), (1, 0), (0, 0), (0, 0), (0, 0), (1, 1)]


@pytest.mark.parametrize("delay", [0, 1, 3, 5, 6, 7, 8, 10, 13, 14])
def test_whenever_clear_comes_the_next_event_finds_an_empty_book(delay):
    dut = made(Book, TINY)
    events = [add(1, BUY, 5, 70), add(2, BUY, 5, 80), delete(2)]

    async def clear(ctx):
        while ctx.get(dut.events.payload.sequence) != len(events):
            await ctx.tick()
        for _ in range(delay):
            await ctx.tick()
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)

    async def wait(ctx):
        for _ in range(30):
            await ctx.tick()

    run = run_book(dut, [*events, delete(1), add(3, BUY, 1, 60)], acts={len(events): wait}, beside=(clear,))
    assert [record.top for record in run.records[-2:]] == [(*EMPTY, *EMPTY), (60, 1, 1, *EMPTY)]


def test_a_stale_venue_marks_its_records():
    dut = made(Book, TINY)

    def set_stale(value):
        async def act(ctx):
            ctx.set(dut.venue_stale, value)

        return act

    events = [add(1, BUY, 5, 70), delete(9), delete(9), delete(9), delete(9)]
    run = run_book(dut, events, acts={1: set_stale(1), 3: set_stale(0)})
    assert [(record.stale, record.changed) for record in run.records] == [(0, 1), (1, 1), (1, 0), (0, 1), (0, 0)]


def test_the_end_of_a_change_is_news_even_if_it_touches_nothing():
    events = [event._replace(partial=partial) for event, partial in (
        (add(1, BUY, 5, 70), 1), (add(2, BUY, 5, 60), 1), (add(3, BUY, 5, 50), 0), (add(4, BUY, 5, 40), 0))]
    run = run_book(Book(TINY), events)
    assert [(record.partial, record.changed) for record in run.records] == [(1, 1), (1, 0), (0, 1), (0, 0)]


def test_an_event_may_name_the_order_of_the_event_before():
    events = []
    for number in range(1, 60, 3):
        events += [add(number, number % 2, 10, 5000 + number), execute(number, 4), replace(number, number + 1, 6, 5000)]
        events += [replace(number + 1, number + 2, 6, 4000 + number), cancel(number + 2, 1), delete(number + 2)]
    run = run_book(Book(TINY), events)
    check(events, run)
    assert not run.pulses


@pytest.mark.parametrize(("config", "shape"), [
    (TINY, {"symbols": 1, "prices": 8, "crowd": 8, "faults": 0.05}), (DEEP, {"symbols": 1, "prices": NearLevels.LEVELS, "crowd": 40})],
    ids=["thin", "deep"])
def test_an_operation_every_second_cycle(config, shape):
    """As long as the near levels are enough; the latencies are checked with the rest."""
    events = list(flow(7, 600, **shape))
    run = run_book(made(Book, config), events)
    model = check(events, run)
    assert run.occupied == [4 if event.kind == REPLACE or event.kind == SET and event.shares else 2 for event in events[:-1]]
    cases = ("ADD", "TAKE", "UNKNOWN", "TAKE EMPTIES", "REPLACE", "REPLACE EMPTIES", "SET")
    assert min(model.cases[case] for case in cases) >= 3, model.cases
    assert {3, 6, 8} == set(run.latencies)


def test_what_waits_for_nothing_is_answered_in_three_cycles():
    events = [add(1, BUY, 9, 70), add(2, SELL, 9, 80), status(RESUME), add(3, BUY, 1, 71), add(4, BUY, 5, 71)]
    assert run_book(Book(TINY), events).latencies == [3] * 5


def test_a_level_is_set_whatever_was_there():
    assert tops([
        set_order(1, BUY, 5, 70), set_order(1, BUY, 9, 70), set_order(1, BUY, 9, 80), add(2, BUY, 1, 75), set_order(1, SELL, 4, 70),
        set_order(1, BUY, 0, 70), set_order(1, BUY, 0, 70), set_order(3, SELL, 6, 90), set_order(3, SELL, 0, 0),
    ]) == [
        (70, 5, 1, *EMPTY), (70, 9, 1, *EMPTY), (80, 9, 1, *EMPTY), (80, 9, 1, *EMPTY), (75, 1, 1, *EMPTY),
        (75, 1, 1, *EMPTY), (75, 1, 1, *EMPTY), (75, 1, 1, 90, 6, 1), (75, 1, 1, *EMPTY),
    ]  # fmt: skip


def test_a_move_needs_its_place_before_it_gives_the_old_one_back():
    """But under the same reference it takes over what it leaves."""
    events = [add(reference, BUY, 1, 1000 + reference % 8, locate=1) for reference in range(0, 1 << 16, 64)]
    places = PlacedBook(TINY)
    full = next(index for index, event in enumerate(events) if not places.apply(event, 1))
    blocked = events[full].reference
    sets = places.orders.sets_of(blocked)
    there, other = [event.reference for event in events[:full] if places.orders.place(0, event.reference) in sets][:2]
    run = run_book(Book(TINY), [*events[:full], replace(other, other, 3, 2000, locate=1), replace(there, blocked, 3, 2000, locate=1)])
    assert run.pulses == {"store_full": 1}
    assert run.refused == {full + 1}


def test_a_place_that_was_given_back_is_free_for_the_third_operation_behind():
    """The two behind it looked before it was; and nobody takes a place twice, however close they follow each other."""
    crowd = [add(reference, BUY, 1, 1000, locate=1) for reference in alike(OrderStore(TINY).table, 64, 10)]
    for behind in range(4):
        events = [*crowd[:8], delete(crowd[0].reference, locate=1), *[execute(crowd[1].reference, 0, locate=1)] * behind, crowd[8]]
        run = run_book(Book(TINY), events)
        assert bool(run.refused) == (behind < 2), behind
        check(events, run)
    events = [*crowd[:8], *(delete(event.reference, locate=1) for event in crowd[:8])]
    assert not run_book(Book(TINY), events).pulses


@pytest.mark.parametrize(("seed", "shape"), [
    (1, {"prices": 8, "crowd": 12}),
    (2, {"prices": 40, "crowd": 70, "symbols": 1, "faults": 0.01}),
    (3, {"prices": [1, 4, 70_000, 1_000_000_000, 2_000_000_000, MAX], "crowd": 12, "symbols": 4}),
])
def test_equals_the_reference_under_random_pauses(seed, shape):
    events = list(flow(seed, 350, **shape))
    run = run_book(Book(TINY), events, seed=seed)
    model = check(events, run)
    assert min(model.cases[case] for case in ("ADD", "TAKE", "REPLACE", "TAKE EMPTIES")) > 1, model.cases


def test_refuses_a_venue_that_the_card_does_not_have():
    with pytest.raises(ValueError, match="venue must be 0 to 1, not 2"):
        Book(TINY, 2)
