"""The bank's part for the clock and the latency histogram."""

from amaranth.hdl import Cat, Const, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host_interface.fields import parts
from hw.telemetry_types import ClockIncrement, LatencyBin, LatencyCount, LatencySummary

TelemetryControl = wiring.Signature({
    "set": Out(1), "value": Out(64), "adjust": Out(1), "offset": Out(signed(32)), "increment": Out(ClockIncrement), "time": In(64),
    "clear": Out(1), "clearing": In(1), "bin": Out(LatencyBin), "shown": In(LatencyCount), "summary": In(LatencySummary),
})
"""What the bank tells the clock and the histogram, by the names of their ports, and hears from them."""


def set_up_telemetry(m, bank, value, written, source):
    """Joins ``bank.telemetry`` with the register file's ``value``, ``written`` and ``source``."""
    control, summary = bank.telemetry, bank.telemetry.summary
    wanted = dict(parts(value.latency_bin, "LATENCY_BIN"))["bin"]
    busy = bank.busy_after(m, written.latency_bin)
    m.d.comb += [
        control.set.eq(written.tai_set), control.value.eq(value.tai_set),
        control.adjust.eq(written.tai_adjust), control.offset.eq(value.tai_adjust.as_signed()),
        control.increment.eq(value.tai_increment), source.tai_time.eq(control.time),
        control.clear.eq(written.latency_clear & value.latency_clear), control.bin.eq(wanted),
        source.latency_bin.eq(Cat(wanted, Const(0, 21), control.clearing, busy != 0)),
        source.latency_bin_count.eq(control.shown),
        *(getattr(source, f"latency_{name}").eq(summary[name]) for name in ("count", "sum", "least", "most")),
    ]
