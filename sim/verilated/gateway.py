"""The compiled risk gateway, one clock cycle a call, for campaigns that are too long for Amaranth's simulator.

Nothing here knows more of the gateway than its ports (:mod:`hw.risk.gateway`); their names are the members' paths, joined by two
underscores.
"""

import ctypes
import warnings
from pathlib import Path

from amaranth.hdl import Cat, Const, Module, Signal, UnusedElaboratable, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.export import compact_rtlil, to_verilog
from hw.risk.gateway import RiskGateway
from sim.bench.layouts import Codec, codec_of
from sim.verilated.build import compile_gateway, gateway_library
from sim.verilated.mutants import BITS, CONTROL, mutated

warnings.simplefilter("ignore", UnusedElaboratable)  # the gateway was elaborated when the library was built

Ports = dict[str, tuple[int, Codec]]
"""Of each port its first bit and its codec."""


class FlatGateway(wiring.Component):
    """The gateway with all its inputs in one vector and all its outputs in another, in the order of its signature.

    Parameters
    ----------
    config : CardConfig
    mutants : bool
        The highest bits of ``inputs`` choose a mutant (:mod:`sim.verilated.mutants`).
    """

    def __init__(self, config: CardConfig, *, mutants: bool = False):
        self.gateway, self._mutants = RiskGateway(config), mutants
        self.inputs_of, self.outputs_of = ports(self.gateway)
        super().__init__({
            "inputs": In(sum(codec.width for _, codec in self.inputs_of.values()) + (BITS if mutants else 0)),
            "outputs": Out(sum(codec.width for _, codec in self.outputs_of.values())),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.gateway = gateway = self.gateway
        into, out = members(gateway)
        if self._mutants:
            m.d.comb += Signal(BITS, name=CONTROL, attrs={"keep": 1}).eq(self.inputs[-BITS:])
        m.d.comb += [Cat(Value.cast(value) for _, _, value in into).eq(self.inputs),
                     self.outputs.eq(Cat(Value.cast(value) for _, _, value in out))]
        return m


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


def gateway_mutants(config: CardConfig, *, count: int, seed: int) -> tuple[Path, list[str]]:
    """The library of a gateway with so many mutants, and what each of them changes."""
    rtlil, mutants = mutated(compact_rtlil(FlatGateway(config, mutants=True), "gateway"), "gateway", count=count, seed=seed)
    return compile_gateway(to_verilog(rtlil, "gateway", fast=True), f"gateway-mutants-{config.name}"), mutants


class CompiledGateway:
    """A gateway as after reset; inputs keep their values until they are set again.

    Parameters
    ----------
    config : CardConfig
        Compiled when it was not before (20 s).
    mutants : Path or None
        A library with mutants, of ``gateway_mutants``, instead; ``mutant``: which of them.
    """

    def __init__(self, config: CardConfig, *, mutants: Path | None = None, mutant: int = 0):
        self._library = ctypes.CDLL(str(mutants or gateway_library(config, lambda: FlatGateway(config))))
        self._library.gateway_create.restype = ctypes.c_void_p
        self._gateway = ctypes.c_void_p(self._library.gateway_create())
        words = (ctypes.c_uint32 * 2)()
        self._library.gateway_words(words)
        self._into, self._out = ports(RiskGateway(config))
        self._input_bytes, self._outputs, self._now = 4 * words[0], ctypes.create_string_buffer(4 * words[1]), 0
        last, codec = list(self._into.values())[-1]
        self._step, self._inputs = self._library.gateway_cycle, mutant << last + codec.width
        self._library.gateway_reset(self._gateway)

    def __del__(self) -> None:
        self._library.gateway_destroy(self._gateway)

    def set(self, **values) -> None:
        """Inputs, as :mod:`sim.bench.layouts` packs them."""
        for name, value in values.items():
            at, codec = self._into[name]
            self._inputs = self._inputs & ~(codec._mask << at) | codec.pack(value) << at

    def cycle(self) -> None:
        """One clock cycle with the inputs as they are; ``get`` tells how the outputs were in it."""
        self._step(self._gateway, self._inputs.to_bytes(self._input_bytes, "little"), self._outputs)
        self._now = int.from_bytes(self._outputs.raw, "little")

    def bits(self, name: str) -> int:
        """An output of the last cycle, as bits."""
        at, codec = self._out[name]
        return self._now >> at & codec._mask

    def get(self, name: str):
        """The same, unpacked."""
        return self._out[name][1].unpack(self.bits(name))
