"""The compiled risk gateway, with mutants if wanted."""

from pathlib import Path

from hw.config import CardConfig
from hw.export import compact_rtlil, to_verilog
from hw.risk.gateway import RiskGateway
from sim.verilated.build import compile_flat, flat_library
from sim.verilated.flat import CompiledComponent, Flat
from sim.verilated.mutants import Mutant, mutated


def gateway_mutants(config: CardConfig, *, count: int, seed: int) -> tuple[Path, list[Mutant]]:
    """The library of a gateway with so many mutants, and what each of them changes."""
    design = compact_rtlil(Flat(RiskGateway(config), mutants=True, flips=True), "flat", sources=True)
    rtlil, mutants = mutated(design, "flat", count=count, seed=seed)
    return compile_flat(to_verilog(rtlil, "flat", fast=True), f"gateway-mutants-{config.name}"), mutants


class CompiledGateway(CompiledComponent):
    """A gateway as after reset.

    Parameters
    ----------
    config : CardConfig
        Compiled when it was not before (20 s).
    mutants : Path or None
        A library with mutants, of ``gateway_mutants``, instead; ``mutant``: which of them.
    """

    def __init__(self, config: CardConfig, *, mutants: Path | None = None, mutant: int = 0):
        library = mutants or flat_library("gateway", config, lambda: Flat(RiskGateway(config), flips=True))
        super().__init__(RiskGateway(config), library, mutant=mutant, flips=True)
