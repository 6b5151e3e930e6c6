"""Compares only what the ports show, which is always right: the checkers inside the device have to find the fault."""

from sim.bench.testbench import bench_test


@bench_test
async def identity(tb):
    source, sink = tb.source("inputs"), tb.sink("outputs")
    source.send(*({"number": number} for number in range(300)))
    await tb.drain()
    tb.compare([one.number for one in sink.payloads], range(300), "record")
