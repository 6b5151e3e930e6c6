"""The background flow of a venue: when its agents act, and what they hear. Times are drawn, everything from the seed."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Protocol

from sim.flow.market import Instrument
from sim.venue.agenda import Agenda
from sim.venue.agents import Agent, MarketMaker, Momentum, Stock, ZeroIntelligence
from sim.venue.hawkes import Hawkes
from sim.venue.matching import Engine
from sim.venue.settings import CrowdSettings, VenueSettings

SECOND = 1_000_000_000
REACTION = 700
"""Mean nanoseconds between two acts of an agent that has heard the news."""

WEIGHTS = {"zero": 7, "maker": 2, "momentum": 1}


class Where(Protocol):
    """What the crowd knows of its exchange."""

    engine: Engine
    locates: dict[str, int]


def news(seed: int, symbol: Instrument, rate: float, begin: int) -> Iterator[tuple[int, int]]:
    """Moves of a symbol's fair price, without end: time and new price. Every venue of a seed has the same."""
    random = Random(f"trapjaw exchange {seed} news {symbol.name}")
    spread = max(1, symbol.price // (10_000 * symbol.tick)) * symbol.tick
    time, price = begin, symbol.price
    while True:
        time += 1 + round(random.expovariate(rate) * SECOND)
        steps = 1
        while steps < 12 and random.random() < 0.42:
            steps += 1
        move = random.choice((-1, 1)) * steps * spread
        price += move if symbol.price // 2 < price + move < symbol.price * 2 else -move
        yield time, price


class Crowd:
    """Acts at one exchange from now on."""

    def __init__(self, where: Where, settings: VenueSettings, random: Random, agenda: Agenda):
        self._agenda, self._random, self._settings = agenda, random, settings
        assert settings.crowd is not None
        self._crowd: CrowdSettings = settings.crowd
        for symbol in settings.symbols:
            stock = Stock(where.engine, where.locates[f"{symbol.name:<8}"], symbol.price, symbol.tick)
            makers = [MarketMaker(stock, random, width) for width in (0, 1)]
            momentum = Momentum(stock, random)
            agents = [(ZeroIntelligence(stock, random), WEIGHTS["zero"]), *((maker, WEIGHTS["maker"] / len(makers)) for maker in makers),
                      (momentum, WEIGHTS["momentum"])]
            times = Hawkes(random, self._crowd.rate, self._crowd.branching, self._crowd.decay)
            self._after(times.wait(), self._act, times, stock, agents)
            for maker in makers:
                self._after(self._soon(), self._mend, maker)
            self._next_news(news(settings.seed, symbol, self._crowd.news, agenda.now), stock, makers, momentum)

    def _act(self, times: Hawkes, stock: Stock, agents: list[tuple[Agent, float]]) -> None:
        if stock.open:
            agent, = self._random.choices([agent for agent, _ in agents], [weight for _, weight in agents])
            agent.act()
        self._after(times.wait(), self._act, times, stock, agents)

    def _next_news(self, moves: Iterator[tuple[int, int]], stock: Stock, makers: list[MarketMaker], momentum: Momentum) -> None:
        time, price = next(moves)
        heard = time + round(self._random.expovariate(1 / self._crowd.lag))
        self._agenda.at(heard, self._hear, price, stock, makers, momentum)
        self._agenda.at(time, self._next_news, moves, stock, makers, momentum)

    def _hear(self, price: int, stock: Stock, makers: list[MarketMaker], momentum: Momentum) -> None:
        stock.estimate = price
        if self._random.random() < 0.5:
            self._after(self._soon(), self._snipe, momentum)
        for maker in makers:
            self._after(self._soon(), self._mend, maker)

    def _snipe(self, momentum: Momentum) -> None:
        if momentum.stock.open:
            momentum.hear()

    def _mend(self, maker: MarketMaker) -> None:
        """Until all its quotes are right."""
        if maker.stock.open and maker.mend():
            self._after(self._soon(), self._mend, maker)

    def _soon(self) -> int:
        return max(178, round(self._random.expovariate(1 / REACTION)))

    def _after(self, wait: int, action: Callable[..., Any], *arguments: Any) -> None:
        self._agenda.at(self._agenda.now + wait, action, *arguments)
