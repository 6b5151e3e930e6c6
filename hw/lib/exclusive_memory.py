"""A memory whose owner never reads a row while it is written."""

from amaranth.hdl import Shape
from amaranth.lib.memory import Memory

ATTRIBUTE = "no_rw_check"
"""What marks such a memory in the netlist."""

ULTRA = {"ram_style": "ultra"}
"""Asks the synthesis for UltraRAM; one for a chip that has none refuses it."""

ULTRA_BITS = 1 << 24
"""A memory with more bits than this asks for UltraRAM, a smaller one is left to the synthesis, which takes block RAM.

Four times what all block RAM of the ECP5 holds, so nothing that could be built there asks. On the largest UltraScale+ chips (VU13P) two
venues' order stores and tables of far levels fill the UltraRAM: what is smaller has to lie in block RAM.
"""


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

    Notes
    -----
    No initial contents: UltraRAM starts as zero and takes no others. A memory of more than ``ULTRA_BITS`` bits asks for it.
    """

    def __init__(self, *, shape, depth: int, attrs: dict | None = None):
        large = depth * Shape.cast(shape).width > ULTRA_BITS
        super().__init__(shape=shape, depth=depth, init=[], attrs={ATTRIBUTE: 1, **(ULTRA if large else {}), **(attrs or {})})
