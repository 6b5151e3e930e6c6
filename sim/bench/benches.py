"""The benches: what each simulates, and how much it must have compared to count."""

from dataclasses import dataclass

from sim.bench.scoreboard import probes


@dataclass(frozen=True)
class Bench:
    """One cocotb bench.

    Attributes
    ----------
    name : str
        As in ``make sim BENCH=name``.
    stage : str
        Device: a stage of ``hw.export`` or ``module:expression``.
    minimum : int
        Transactions compared with the golden model, below which the bench fails; of a full run, a short run does its share.
    module : str
        Python module with the cocotb tests; by default ``sim.bench.bench_<name>``.
    probes : tuple of str
        Ports inside the device that the bench looks at, see :class:`sim.bench.watched.Watched`.
    short : float
        Share of a full run's traffic that a short run does.
    """

    name: str
    stage: str
    minimum: int
    module: str = ""
    probes: tuple[str, ...] = ()
    short: float = 0.2

    @property
    def tests(self) -> str:
        return self.module or f"sim.bench.bench_{self.name}"


BENCHES: dict[str, Bench] = {bench.name: bench for bench in (
    Bench("udp_receive", "udp_receive", minimum=4_000),
    Bench("moldudp64", "moldudp64", minimum=12_000),
    Bench("itch50", "itch50", minimum=13_000),
    Bench("pitch", "hw.feed.pitch:PitchDecoder()", minimum=12_000),
    Bench("deep10", "hw.feed.deep10:DeepDecoder()", minimum=6_000),
    Bench("book", "book", minimum=20_000),
    Bench("book_rate", "book", minimum=3_000_000, short=0.05),
    Bench("arbitrage", "arbitrage", minimum=30_000),
    Bench("arbitrage_4", 'hw.strategy.arbitrage:Arbitrage(CardConfig("four", 4, 4, 256, 64, 128, 64))', minimum=30_000,
          module="sim.bench.bench_arbitrage", short=0.1),
    Bench("signals", 'hw.signal.signals:Signals(CardConfig("many", 4, 64, 256, 64, 128, 64))', minimum=80_000, short=0.1),
    Bench("quoter", "hw.strategy.quoter:Quoter(config)", minimum=400),
    Bench("gateway", "risk", minimum=15_000, short=0.05),
    Bench("order_entry", "sim.bench.order_entry:OrderEntry(config)", minimum=1_200),
    Bench("bank", "bank", minimum=3_000, short=0.1),
    Bench("event_ring", "hw.host_interface.event_ring:EventRing(16, [2, 4, 8])", minimum=2_000),
    Bench("card", "card", minimum=5_000, probes=probes(2)),
    Bench("card_uvm", "card", minimum=6_000, short=0.1, probes=probes(2)),
)}
