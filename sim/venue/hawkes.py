"""Times that come in bursts: a Hawkes process with an exponential kernel."""

from math import exp
from random import Random

SECOND = 1_000_000_000


class Hawkes:
    """Each event makes more of them likely for a while.

    The intensity is ``mu + sum(branching / decay * exp(-(t - t_i) / decay))`` over the events before t, with mu such that ``rate`` is the
    mean; drawn by thinning (Ogata, 1981).

    Parameters
    ----------
    random : Random
    rate : float
        Events per second.
    branching : float
        Below 1: events that one event brings about, on average. The variance of counts over long windows is 1 / (1 - branching)^2
        times that of a Poisson process.
    decay : int
        Nanoseconds.
    """

    def __init__(self, random: Random, rate: float, branching: float, decay: int):
        self._random, self._decay = random, decay
        self._base = rate * (1 - branching) / SECOND
        self._jump = branching / decay
        self._excited = 0.0

    def wait(self) -> int:
        """Nanoseconds from one event to the next."""
        time = 0.0
        while True:
            bound = self._base + self._excited
            step = self._random.expovariate(bound)
            time += step
            self._excited *= exp(-step / self._decay)
            if self._random.random() * bound <= self._base + self._excited:
                self._excited += self._jump
                return round(time)
