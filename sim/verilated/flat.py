"""A compiled component, one clock cycle a call, for campaigns that are too long for Amaranth's simulator.

Nothing here knows more of a component than its ports; their names are the members' paths, joined by two underscores.
"""

import ctypes
import warnings
from pathlib import Path

from amaranth.hdl import Cat, Const, Fragment, Module, Signal, UnusedElaboratable, Value
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sim.bench.layouts import Codec, codec_of
from sim.verilated.mutants import BITS, CONTROL

warnings.simplefilter("ignore", UnusedElaboratable)  # the component was elaborated when the library was built

Ports = dict[str, tuple[int, Codec]]
"""Of each port its first bit and its codec."""

FLIP = {"memory": 8, "row": 16, "bit": 16}
"""Bits of what names a bit of a memory, from the lowest on."""


class Flat(wiring.Component):
    """A component with all its inputs in one vector and all its outputs in another, in the order of its signature.

    Parameters
    ----------
    component : wiring.Component
    mutants : bool
        The highest bits of ``inputs`` choose a mutant (:mod:`sim.verilated.mutants`).
    flips : bool
        The bits below them, as ``FLIP``, choose a bit of a memory that changes at the end of the cycle; memory 0: none.
    """

    def __init__(self, component: wiring.Component, *, mutants: bool = False, flips: bool = False):
        self.component, self._mutants, self._flips = component, BITS if mutants else 0, sum(FLIP.values()) if flips else 0
        inputs, outputs = ports(component)
        super().__init__({
            "inputs": In(sum(codec.width for _, codec in inputs.values()) + self._flips + self._mutants),
            "outputs": Out(sum(codec.width for _, codec in outputs.values())),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.component = fragment = Fragment.get(self.component, platform)
        into, out = members(self.component)
        extra = Signal(self._flips + self._mutants)
        m.d.comb += [Cat(*(Value.cast(value) for _, _, value in into), extra).eq(self.inputs),
                     self.outputs.eq(Cat(Value.cast(value) for _, _, value in out))]
        if self._flips:
            flip(memories(fragment), extra[:self._flips])
        if self._mutants:
            m.d.comb += Signal(BITS, name=CONTROL, attrs={"keep": 1}).eq(extra[self._flips:])
        return m


def memories(fragment: Fragment, path: str = "") -> dict[str, MemoryInstance]:
    """All memories of a component that has been elaborated, by the names of its submodules."""
    found = {}
    for part, name, _ in fragment.subfragments:
        where = f"{path}.{name}".removeprefix(".")
        found |= {where.removesuffix(".memory"): part} if isinstance(part, MemoryInstance) else memories(part, where)
    return found


def flip(of: dict[str, MemoryInstance], which: Signal) -> None:
    """Gives each memory a port by which a bit of it is inverted; the first one has number 1."""
    fields, at = {}, 0
    for name, bits in FLIP.items():
        fields[name], at = which[at:at + bits], at + bits
    for number, memory in enumerate(of.values(), 1):
        old, row = Signal(len(memory._read_ports[0]._data)), fields["row"][:len(memory._read_ports[0]._addr)]
        memory.read_port(domain="comb", addr=row, data=old, en=Const(1), transparent_for=())
        memory.write_port(domain="sync", addr=row, data=old ^ (1 << fields["bit"][:9])[:len(old)], en=fields["memory"] == number)


def members(component: wiring.Component) -> tuple[list, list]:
    """Name, shape and value of each input and of each output; constants of streams are none."""
    into, out = [], []
    for path, member, value in component.signature.flatten(component):
        if not isinstance(value, Const):
            (into if member.flow is In else out).append(("__".join(map(str, path)), member.shape, value))
    return into, out


def ports(component: wiring.Component) -> tuple[Ports, Ports]:
    result = []
    for side in members(component):
        at, found = 0, Ports()
        for name, shape, _ in side:
            found[name] = at, codec_of(shape)
            at += found[name][1].width
        result.append(found)
    return result[0], result[1]


class CompiledComponent:
    """A component as after reset; inputs keep their values until they are set again.

    Parameters
    ----------
    component : wiring.Component
        Only its signature is looked at.
    library : Path
        Of the same in ``Flat`` (:func:`sim.verilated.build.flat_library`).
    mutant : int
        Which one, of a library with mutants.
    flips : bool
        The library is of a ``Flat`` with them.
    """

    def __init__(self, component: wiring.Component, library: Path, *, mutant: int = 0, flips: bool = False):
        self._library = ctypes.CDLL(str(library))
        self._library.flat_create.restype = ctypes.c_void_p
        self._top = ctypes.c_void_p(self._library.flat_create())
        words = (ctypes.c_uint32 * 2)()
        self._library.flat_words(words)
        self._into, self._out = ports(component)
        self._input_bytes, self._outputs, self._now = 4 * words[0], ctypes.create_string_buffer(4 * words[1]), 0
        last, codec = list(self._into.values())[-1]
        self._end = last + codec.width
        self._step, self._inputs = self._library.flat_cycle, mutant << self._end + (sum(FLIP.values()) if flips else 0)
        self._library.flat_reset(self._top)

    def __del__(self) -> None:
        self._library.flat_destroy(self._top)

    def set(self, **values) -> None:
        """Inputs, as :mod:`sim.bench.layouts` packs them."""
        for name, value in values.items():
            at, codec = self._into[name]
            self._inputs = self._inputs & ~(codec._mask << at) | codec.pack(value) << at

    def cycle(self) -> None:
        """One clock cycle with the inputs as they are; ``get`` tells how the outputs were in it."""
        self._step(self._top, self._inputs.to_bytes(self._input_bytes, "little"), self._outputs)
        self._now = int.from_bytes(self._outputs.raw, "little")

    def flip(self, memory: int, row: int, bit: int) -> None:
        """A clock cycle at whose end a bit of a memory changes, the first memory being number 1; see :func:`memories`."""
        kept, at = self._inputs, self._end
        for (_, bits), value in zip(FLIP.items(), (memory, row, bit), strict=True):
            self._inputs |= value << at
            at += bits
        self.cycle()
        self._inputs = kept

    def bits(self, name: str) -> int:
        """An output of the last cycle, as bits."""
        at, codec = self._out[name]
        return self._now >> at & codec._mask

    def get(self, name: str):
        """The same, unpacked."""
        return self._out[name][1].unpack(self.bits(name))
