"""A state machine with one flip-flop a state."""

from amaranth.hdl import Module, Signal


class OneHot:
    """Like ``m.FSM``, but nothing has to be decoded between the state and what depends on it.

    ``with at("NAME"):`` is a state, ``at.go("NAME")`` inside of it says which follows; each state says so in every case,
    a state that stays included.

    Parameters
    ----------
    m : Module
    states : str
        All names; the first is the state after reset.
    """

    def __init__(self, m: Module, *states: str):
        self._m = m
        self._now = {state: Signal(name=f"at_{state.lower()}", init=state == states[0]) for state in states}
        m.d.sync += [now.eq(0) for now in self._now.values()]

    def __call__(self, state: str):
        return self._m.If(self._now[state])

    def now(self, state: str) -> Signal:
        """High in this state."""
        return self._now[state]

    def go(self, state: str) -> None:
        self._m.d.sync += self._now[state].eq(1)
