"""The background flow: its bursts are those of the process it claims to be, and its agents keep a market."""

from collections import Counter
from itertools import islice
from random import Random
from statistics import mean, variance

import pytest

from sim.flow.market import INSTRUMENTS
from sim.golden.records import BUY, SELL
from sim.venue.agents import MarketMaker, Momentum, Stock, ZeroIntelligence
from sim.venue.crowd import news
from sim.venue.exchange import Exchange
from sim.venue.hawkes import Hawkes
from sim.venue.matching import HALTED, Order
from sim.venue.settings import SECOND, CrowdSettings, Login, VenueSettings
from tests.sim.venue.clients import QUIET


@pytest.mark.parametrize(("branching", "dispersion"), [(0.0, 1.0), (0.5, 4.0), (0.7, 11.1)])
def test_rate_and_bursts(branching, dispersion):
    """Counts in windows much longer than the decay: their mean is the rate's, their variance 1 / (1 - branching)^2 times it."""
    process = Hawkes(Random(1), 1_000.0, branching, 1_000_000)
    time, counts = 0, Counter()
    while time < 60 * SECOND:
        time += process.wait()
        counts[time // (SECOND // 10)] += 1
    windows = [counts[window] for window in range(600)]
    assert mean(windows) == pytest.approx(100, rel=0.06)
    assert variance(windows) / mean(windows) == pytest.approx(dispersion, rel=0.25)


def test_news_are_the_same_for_all_and_stay_in_bounds():
    moves = [next(each) for each in [news(5, INSTRUMENTS[0], 50.0, 100)] for _ in range(2_000)]
    again = news(5, INSTRUMENTS[0], 50.0, 100)
    assert moves == [next(again) for _ in range(2_000)]
    times, prices = zip(*moves, strict=True)
    assert list(times) == sorted(set(times))
    assert times[-1] == pytest.approx(2_000 * SECOND / 50, rel=0.1)
    assert all(INSTRUMENTS[0].price // 2 < price < 2 * INSTRUMENTS[0].price for price in prices)
    assert next(news(6, INSTRUMENTS[0], 50.0, 100)) != moves[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_crowd_keeps_a_market(seed):
    exchange = Exchange(VenueSettings(seed, crowd=CrowdSettings(rate=4_000)))
    exchange.advance(exchange.settings.start - 1)
    assert exchange.engine.orders, "orders come before the opening"
    exchange.advance(exchange.settings.start + 200_000_000)
    kinds = Counter(chr(message[0]) for message in exchange.feed.messages)
    assert all(kinds[kind] > 50 for kind in "AEDUX"), kinds
    assert kinds["P"], kinds
    assert kinds["C"], "the opening cross traded"
    owners = Counter(type(order.owner) for order in exchange.engine.orders.values())
    assert owners[ZeroIntelligence] > 10
    assert owners[MarketMaker] > 10
    for symbol in INSTRUMENTS:
        locate = exchange.locates[f"{symbol.name:<8}"]
        bids, asks = (exchange.engine.displayed(locate, side) for side in (BUY, SELL))
        assert min(len(bids), len(asks)) >= 2
        assert 0 < asks[0][0] - bids[0][0] < symbol.price // 500
        begin = exchange.settings.start - exchange.settings.before
        fair = [price for time, price in islice(news(seed, symbol, 50.0, begin), 50) if time < exchange.now][-1]
        reach = max(500, symbol.price // 2_000)
        assert bids[0][0] - reach <= fair <= asks[0][0] + reach


@pytest.fixture
def stock():
    exchange = Exchange(QUIET)
    exchange.advance(exchange.settings.start)
    return Stock(exchange.engine, exchange.locates["ANTS    "], 24_5000, 100)


def test_a_maker_mends_its_quotes_until_all_are_right(stock):
    maker = MarketMaker(stock, Random(1), 0)
    for _ in range(2 * maker.DEPTHS):
        assert maker.mend()
    assert not maker.mend()
    assert [price for price, *_ in stock.engine.displayed(stock.locate, BUY)] == [24_4900, 24_4800, 24_4700, 24_4600]
    assert [price for price, *_ in stock.engine.displayed(stock.locate, SELL)] == [24_5100, 24_5200, 24_5300, 24_5400]
    stock.estimate += 300
    while maker.mend():
        pass
    assert (stock.best(BUY), stock.best(SELL)) == (24_5200, 24_5400)
    stock.engine.enter(Order(stock.locate, BUY, stock.engine.displayed(stock.locate, SELL)[0][1], 24_5400, immediate=True,
                             owner=ZeroIntelligence(stock, Random(1))))
    assert maker.position < 0
    maker.position = -maker.LEAN
    assert maker.mend()
    while maker.mend():
        pass
    assert stock.best(BUY) == 24_5300, "it leans against what it holds"


def test_momentum_takes_what_is_stale(stock):
    maker, momentum = MarketMaker(stock, Random(1), 0), Momentum(stock, Random(2))
    while maker.mend():
        pass
    momentum.hear()
    assert not momentum.position
    stock.estimate = 24_6000
    momentum.hear()
    bought = momentum.position
    assert bought > 0
    stock.estimate = 24_4000
    momentum.hear()
    assert momentum.position < bought


def test_momentum_follows_the_price(stock):
    maker, momentum = MarketMaker(stock, Random(1), 0), Momentum(stock, Random(2))
    while maker.mend():
        pass
    momentum.act()
    assert not momentum.position
    momentum._average = 24_0000
    momentum.act()
    assert momentum.position > 0


def test_nobody_enters_orders_during_a_halt():
    exchange = Exchange(VenueSettings(1, crowd=CrowdSettings(rate=4_000), symbols=INSTRUMENTS[:1]))
    exchange.advance(exchange.settings.start + 10_000_000)
    exchange.halt("ANTS")
    before = len(exchange.feed.messages)
    exchange.advance(exchange.now + 20_000_000)
    assert len(exchange.feed.messages) == before
    assert exchange.engine.state(1) == HALTED
    exchange.resume("ANTS")
    exchange.advance(exchange.now + 20_000_000)
    assert len(exchange.feed.messages) > before + 20


@pytest.mark.parametrize(("make", "message"), [
    (lambda: CrowdSettings(rate=0), "rate of a crowd"), (lambda: CrowdSettings(branching=1.0), "branching is from 0"),
    (lambda: Login("TOOLONG", "A"), "a user has 1 to 6"), (lambda: Login("A", ""), "a password 1 to 10"),
    (lambda: Login("A", "B", prevention="X"), "self-match prevention"), (lambda: VenueSettings(1, number=8), "8 venues at most"),
    (lambda: VenueSettings(1, symbols=()), "at least one symbol"), (lambda: VenueSettings(1, symbols=INSTRUMENTS[:1] * 2), "none twice"),
    (lambda: VenueSettings(1, logins=(Login("a", "B"), Login("A", "B"))), "the same user"),
])
def test_settings_that_can_not_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()
