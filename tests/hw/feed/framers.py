"""Runs a framer of any protocol on packets: what it delivers of each, and with which verdict."""

import random
from typing import NamedTuple

from hw.reasons import DropReason
from tests.hw.bench import simulate
from tests.hw.feed.words import IDLE, MessageCollector, payload_words, put


class Outcome(NamedTuple):
    """What became of a packet; without a span where the verdict is bad."""

    reason: DropReason
    messages: list[tuple[int, bytes]]
    span: tuple[int, int, int] | None
    """Session, first, next."""
    end_of_session: bool = False


def run_framer(dut, packets, *, pause=lambda: 0, verdict_after=lambda: 1, between=lambda: 0):
    """Sends packets (bytes, or pairs of bytes and reason); returns an :class:`Outcome` of each, and the cycles of the messages' last words.

    ``verdict_after`` gives the cycles from a packet's last word to its verdict, ``between`` those from there to the next packet's first
    word, less one.
    """
    cycles = []  # (word, reason of a verdict or None)
    rng = random.Random(0)
    for packet in packets:
        payload, reason = packet if isinstance(packet, tuple) else (packet, DropReason.NONE)
        for word in payload_words(payload):
            cycles += [(IDLE, None)] * pause()
            behind = rng.choice([0x00, 0x06, 0x07, 0x09, 0xFF])  # what is no byte of the payload may look like a length
            undefined = int.from_bytes(bytes([behind] * (8 - word["count"])), "little") << 8 * word["count"]
            data = word["data"] & (1 << 8 * word["count"]) - 1 | undefined
            cycles.append(({**word, "data": data, "ingress": len(cycles)}, None))
        cycles += [(IDLE, None)] * (verdict_after() - 1) + [(IDLE, reason)] + [(IDLE, None)] * between()
    seen, times, before, verdicts = [], [], [IDLE] * dut.LATENCY, [None] * dut.VERDICT_LATENCY
    collector = MessageCollector()

    async def testbench(ctx):
        for word, reason in cycles + [(IDLE, None)] * 4:
            await put(ctx, dut.payload, word)
            ctx.set(dut.verdict_in.valid, reason is not None)
            ctx.set(dut.verdict_in.payload.reason, reason or DropReason.NONE)
            before.append(word)
            verdicts.append(reason)
            then = before[-1 - dut.LATENCY]
            if ctx.get(dut.words.valid):
                out = ctx.get(dut.words.payload)
                assert (out.data, out.ingress) == (then["data"], then["ingress"])
                collector.word(out)
            assert ctx.get(dut.verdict.valid) == (verdicts[-1 - dut.VERDICT_LATENCY] is not None)
            assert ctx.get(dut.verdict.valid) or not ctx.get(dut.end_of_session)
            if ctx.get(dut.verdict.valid):
                collector.forget()
                messages = collector.take()
                verdict, span = DropReason(ctx.get(dut.verdict.payload.reason)), ctx.get(dut.span)
                good = verdict == DropReason.NONE
                seen.append(Outcome(verdict, [(each.sequence, each.data) for each in messages] if good else [],
                                    (span.session, span.first, span.next) if good else None, bool(ctx.get(dut.end_of_session))))
                times.append([each.ingress for each in messages])
            await ctx.tick()

    simulate(dut, testbench, deadline=len(cycles) + 100)
    return seen, times
