"""The compiled detector, for days that are too long for Amaranth's simulator, driven as tests/hw/strategy/arbitrage_bench.py drives it."""

from amaranth.hdl import Fragment, Module, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out, connect, flipped

from hw.export import export
from hw.strategy.arbitrage import Arbitrage
from sim.golden.records import Order
from sim.verilated.build import compile_flat
from sim.verilated.flat import CompiledComponent, Flat
from tests.hw.strategy.arbitrage_bench import LIMITS, OPEN


class Watched(wiring.Component):
    """The detector, and beside it the edges that it compares, which are none of its ports.

    Ports
    -----
    detector : Out(as the detector's)
    edges : Out(signed, two a pair of venues)
        Two cycles after a record.
    """

    def __init__(self, config):
        self._detector = Arbitrage(config)
        super().__init__({
            "detector": Out(self._detector.signature),
            "edges": Out(data.ArrayLayout(signed(config.price_bits + 3), 2 * len(self._detector.pairs.pairs))),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.detector = Fragment.get(self._detector, platform)
        connect(m, self._detector, flipped(self.detector))
        m.d.comb += [told.eq(edge) for told, edge in zip(self.edges, self._detector.pairs.edges, strict=True)]
        return m


class CompiledBench:
    """As ``Bench``, with ``last_edges`` those of the last cycle; no call waits for a simulator."""

    def __init__(self, config):
        library = compile_flat(export(Flat(Watched(config)), "flat", fast=True), f"detector-{config.venues}")
        self.top, self.config, self.dut = CompiledComponent(Watched(config), library), config, Arbitrage(config)
        self.cycle = self.now = 0
        self.orders, self.signals, self.missed, self.last_edges = [], [], [], ()

    def _set(self, **values):
        self.top.set(**{f"detector__{name}": value for name, value in values.items()})

    def _get(self, name):
        return self.top.get(f"detector__{name}")

    async def start(self, ctx, limits=LIMITS, cooldown=0):
        self._set(terms=[vars(OPEN)] * self.config.venues, enable=(1 << self.config.symbols) - 1, cooldown=cooldown, orders__ready=1)
        for symbol in range(self.config.symbols):
            await self.limit(symbol, limits)
        await self.idle(16)

    async def limit(self, symbol, limits):
        self._set(limits__payload={"symbol": symbol, "values": vars(limits)}, limits__valid=1)
        self._step()
        self._set(limits__valid=0)

    async def idle(self, cycles):
        for _ in range(cycles):
            self._step()

    async def send(self, venue, symbol, top):
        self._set(tops__payload=top._asdict() | {"venue": venue, "symbol": symbol, "changed": 1}, tops__valid=1)
        self._step()
        self._set(tops__valid=0)
        return self.cycle - 1

    def _step(self):
        top = self.top
        top.cycle()
        if top.bits("detector__orders__valid"):
            found = self._get("orders__payload")
            self.orders.append((self.cycle, Order(*(getattr(found, name) for name in Order._fields)), found.ingress))
        if top.bits("detector__signal__valid"):
            self.signals.append((self.cycle - 1, self._get("signal__payload")._asdict()))
        if top.bits("detector__missed"):
            self.missed.append(self.cycle)
        self.last_edges = top.get("edges")
        self.cycle += 1
        self.now += 1
        self._set(now=self.now)
