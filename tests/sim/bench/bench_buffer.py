"""A bench of the benches: the buffer of devices.py against a golden model that everybody can check, the identity."""

from sim.bench.testbench import bench_test, share


@bench_test
async def identity(tb):
    source, sink, copy = tb.source("inputs"), tb.sink("outputs"), tb.sink("copy")
    records = [(tb.rng.getrandbits(16), tb.rng.getrandbits(1)) for _ in range(share(500))]
    source.send(*({"number": number, "flag": flag} for number, flag in records))
    await tb.drain()
    tb.compare([tuple(one) for one in sink.payloads], records, "record")
    tb.compare([tuple(one) for one in copy.payloads], records, "copy")
    assert len(sink.received) == len(source.sent)
    for taken, given in zip(source.sent, sink.received, strict=True):
        assert given.cycle >= taken.cycle + 1


@bench_test
async def latency_is_one_cycle(tb):
    source, sink = tb.source("inputs", rates=(1.0,)), tb.sink("outputs", rates=(1.0,))
    source.send(*({"number": number} for number in range(100)))
    await tb.drain()
    assert [given.cycle - taken.cycle for taken, given in zip(source.sent, sink.received, strict=True)] == [1] * 100
    assert source.sent[-1].cycle - source.sent[0].cycle == 99
    tb.compare([one.number for one in sink.payloads], range(100), "record")
