"""A memory whose owner never reads a row while it is written."""

from amaranth.lib.memory import Memory

ATTRIBUTE = "no_rw_check"
"""What marks such a memory in the netlist."""


class ExclusiveMemory(Memory):
    """Like ``Memory``, but reading a row in the very cycle in which it is written gives anything.

    Amaranth promises the old contents then, which no block RAM of the ECP5 does by itself: synthesis would put a
    delayed write and a bypass around the memory, a flip-flop and a multiplexer a bit. Who uses this class says why the
    two never meet, and every simulation of
    tests/hw/bench.py watches that they don't.

    Parameters
    ----------
    shape : ShapeLike
    depth : int
    attrs : dict, optional
        Further attributes for the synthesis.
    """

    def __init__(self, *, shape, depth: int, attrs: dict | None = None):
        super().__init__(shape=shape, depth=depth, init=[], attrs={ATTRIBUTE: 1, **(attrs or {})})
