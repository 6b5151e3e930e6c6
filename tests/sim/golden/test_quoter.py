"""The model of the quoter is Avellaneda and Stoikov's: their simulation with its quotes gives their table (REFERENCES section 5)."""

import math
import random
from statistics import fmean, pstdev

import pytest

from host.strategy.quoter import quoter_parameters
from sim.golden.quoter import Judgement, Parameters, QuotesModel, Risk, Targets, risk, targets
from sim.golden.records import BUY, CANCEL_ORDER, NEW, REPLACE_ORDER, SELL

TABLE = {
    (0.1, "inventory"): (1.492, 64.89, 6.54, 2.92), (0.1, "symmetric"): (1.491, 68.22, 13.45, 8.41),
    (0.01, "inventory"): (1.349, 68.39, 8.93, 5.21), (0.01, "symmetric"): (1.349, 68.64, 13.66, 8.72),
    (1, "inventory"): (3.032, 31.46, 4.85, 1.64), (1, "symmetric"): (3.022, 43.86, 10.76, 5.20),
}
"""gamma and strategy: spread, profit, its standard deviation, that of the inventory at the end."""

START, END, SIGMA, STEP, K, RATE = 100.0, 1.0, 2.0, 0.005, 1.5, 140.0
STEPS = round(END / STEP)
TICK, SHARES, TOUCH = 10, 1000, 200_000
"""A tenth of a cent; a touch so far away (20.00) that it stops no quote, as the model knows none."""
VARIANCE, TIME = 1 << 28, 1 << 16
"""What sigma squared and the whole time are on the card."""


def parameters(gamma, strategy):
    made = Parameters(**quoter_parameters(
        gamma, K, tick=TICK, shares=SHARES, max_position=1 << 31, end=TIME,
        variance_unit=SIGMA**2 / VARIANCE, time_unit=END / TIME)._asdict())
    if strategy == "inventory":
        return made
    spread = gamma * SIGMA**2 * END / 2 + 2 / gamma * math.log(1 + gamma / K)
    return Parameters(**vars(made) | {"aversion": 0, "constant": round(spread / (TICK / 1e4) * 4096)})


def path(mine, risks, rng):
    """Mean spread, profit and inventory at the end of one path."""
    middle, inventory, cash, spreads = START * 1e4, 0, 0, 0
    for now in risks:
        grid = round(middle / TICK) * TICK
        bid, ask = targets(mine, now, inventory * SHARES, grid - TOUCH, grid + TOUCH)
        assert bid
        assert ask
        spreads += ask - bid
        bought = rng.random() < RATE * math.exp(-K * (middle - bid) / 1e4) * STEP
        sold = rng.random() < RATE * math.exp(-K * (ask - middle) / 1e4) * STEP
        cash += sold * ask - bought * bid
        inventory += bought - sold
        middle += 1e4 * SIGMA * math.sqrt(STEP) * rng.choice((-1, 1))
    return spreads / STEPS / 1e4, (cash + inventory * middle) / 1e4, inventory


def deviation_error(values):
    """Standard error of the standard deviation, by the fourth moment."""
    mean, sd = fmean(values), pstdev(values)
    kurtosis = fmean((value - mean) ** 4 for value in values) / sd**4
    return sd * math.sqrt((kurtosis - 1) / (4 * len(values)))


def check(gamma, strategy, paths, row=None):
    """Each figure within three standard errors of the table's, whose own (200,000 paths) and last digit are counted in."""
    mine, rng = parameters(gamma, strategy), random.Random(2008)
    risks = [risk(mine, VARIANCE, round(TIME * (1 - step / STEPS))) for step in range(STEPS)]
    spread, profit, inventory = zip(*(path(mine, risks, rng) for _ in range(paths)), strict=True)
    spread_wanted, *wanted = row or TABLE[gamma, strategy]
    got = fmean(profit), pstdev(profit), pstdev(inventory)
    errors = pstdev(profit) / math.sqrt(paths), deviation_error(profit), deviation_error(inventory)
    more = math.sqrt(1 + paths / 200_000)
    for name, value, right, error in zip(("profit", "sd profit", "sd q"), got, wanted, errors, strict=True):
        assert abs(value - right) <= 3 * error * more + 0.005, f"{name} {value:.3f}, not {right} (standard error {error:.3f})"
    # Fixed by the formula at every step: no error of chance, but the two quotes are rounded outwards, by half a tick each on average.
    assert abs(fmean(spread) - spread_wanted) <= TICK / 1e4 + 0.0005
    return got


@pytest.mark.parametrize("strategy", ["inventory", "symmetric"])
def test_the_first_row_of_the_table(strategy):
    check(0.1, strategy, 2_000)


@pytest.mark.slow
@pytest.mark.parametrize(("gamma", "strategy"), TABLE)
def test_the_table(gamma, strategy):
    check(gamma, strategy, 20_000)


def test_the_strategies_can_be_told_apart():
    """So few paths decide between the two: their spread of profits differs by many standard errors."""
    with pytest.raises(AssertionError, match="profit"):
        check(0.1, "symmetric", 500, TABLE[0.1, "inventory"])


def test_the_risk_in_whole_numbers():
    """gamma x sigma^2 x T = 0.4 for a quote of 1000 shares at a tenth of a cent: 0.4 ticks a share; spread 0.4 + 1.2908."""
    terms = risk(parameters(0.1, "inventory"), VARIANCE, TIME)
    assert terms.share / 2**24 == pytest.approx(0.4, rel=1e-6)
    assert 2 * terms.half_spread / 4096 == pytest.approx(400 + 2 / 0.1 * math.log(1 + 0.1 / 1.5) * 1000, abs=0.01)
    assert risk(parameters(0.1, "inventory"), VARIANCE, 0) is None
    assert risk(parameters(0.1, "inventory"), 2**32 - 1, 2**32 - 1) is None


GOOD = Parameters(shares=100, max_position=150, threshold=2, interval=5)
HERE = Judgement(0, Targets(100, 104))


def kinds(orders):
    return [(order.kind, order.side) for order in orders]


def test_what_is_asked_for_and_what_becomes_of_it():
    model = QuotesModel(1)
    assert kinds(model.judge(0, GOOD, HERE, 0)) == [(NEW, BUY), (NEW, SELL)]
    assert model.judge(0, GOOD, HERE._replace(targets=Targets(50, 204)), 9) == []  # under way
    model.sent(0, BUY, NEW, 7)
    model.sent(0, SELL, NEW, 8)
    assert model.judge(0, GOOD, HERE._replace(targets=Targets(98, 106)), 9) == []  # near enough
    assert model.judge(0, GOOD, HERE._replace(targets=Targets(97, 107)), 4) == []  # it rests
    (moved,) = model.judge(0, GOOD, HERE._replace(targets=Targets(97, 106)), 5)
    assert (moved.kind, moved.reference, moved.shares, moved.price) == (REPLACE_ORDER, 7, 100, 97)
    model.refused(0, BUY, REPLACE_ORDER)
    (gone,) = model.judge(0, GOOD, HERE._replace(targets=Targets(97, 106)), 6)
    assert (gone.kind, gone.reference) == (CANCEL_ORDER, 7)
    model.sent(0, BUY, CANCEL_ORDER, 7)
    assert model.judge(0, GOOD, HERE, 100) == []
    model.reply(0, BUY, 100)
    assert kinds(model.judge(0, GOOD, HERE, 100)) == [(NEW, BUY)]


def test_a_bid_does_not_meet_its_own_ask():
    model = QuotesModel(1)
    model.judge(0, GOOD, HERE, 0)
    for side in (BUY, SELL):
        model.sent(0, side, NEW, 7 + side)
    up = HERE._replace(targets=Targets(104, 108))
    assert kinds(model.judge(0, GOOD, up, 9)) == [(REPLACE_ORDER, SELL)]
    assert kinds(model.judge(0, GOOD, up, 9)) == [(REPLACE_ORDER, BUY)]


def test_a_position_that_leaves_no_room():
    model = QuotesModel(1)
    assert kinds(model.judge(0, GOOD, HERE._replace(position=51))) == [(NEW, SELL)]
    model.sent(0, SELL, NEW, 1)
    assert kinds(model.judge(0, GOOD, HERE._replace(position=-51))) == [(CANCEL_ORDER, SELL), (NEW, BUY)]


def test_of_a_touch_that_is_all_too_wide_nothing_is_made():
    assert targets(Parameters(tick=1, reciprocal=1 << 31), Risk(0, 0), 0, 1, 0x7FFFFFFF) == Targets()


@pytest.mark.parametrize(("changed", "message"), [
    ({"gamma": 0}, "gamma"), ({"tick": 0}, "tick"), ({"tick": 1 << 16}, "tick"), ({"shares": 0}, "share"),
    ({"variance_unit": 1e-30}, "aversion"), ({"variance_unit": 1.0}, "aversion"), ({"gamma": 1e-9, "k": 1e-9}, "constant"),
    ({"max_position": 1 << 32}, "max_position"), ({"interval": 1 << 31}, "interval"),
])
def test_parameters_that_do_not_fit_are_refused(changed, message):
    good = {"gamma": 0.1, "k": 1.5, "tick": 100, "shares": 100, "max_position": 1000, "end": 1,
            "variance_unit": 4 / VARIANCE, "time_unit": 1 / TIME}
    assert quoter_parameters(**good).reciprocal == -(-2**31 // 100)
    with pytest.raises(ValueError, match=message):
        quoter_parameters(**good | changed)
