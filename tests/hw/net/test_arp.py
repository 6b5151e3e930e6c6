"""Requests and replies as an independent decoder reads and writes them."""

import random

import dpkt
import pytest

from hw.net.arp import Arp
from tests.hw.bench import made, simulate

MAC, IP, PEER_MAC, PEER_IP = 0x020000000902, 0x0A090002, 0x020000000901, 0x0A090001


def bytes_of(number, count):
    return number.to_bytes(count, "big")


def packet(operation, *, sender=(PEER_MAC, PEER_IP), target=(0, IP), pad=True, **changes):
    """A frame by dpkt."""
    arp = dpkt.arp.ARP(op=operation, sha=bytes_of(sender[0], 6), spa=bytes_of(sender[1], 4), tha=bytes_of(target[0], 6),
                       tpa=bytes_of(target[1], 4), **changes)
    data = bytes(dpkt.ethernet.Ethernet(dst=b"\xff" * 6, src=bytes_of(sender[0], 6), type=0x0806, data=arp))
    return data.ljust(60, b"\0") if pad else data


def run(steps, *, seed=None, ip=IP):
    """``steps``: frames for the card (bytes, or bytes with an error), and numbers: what it is to ask for. Returns the frames that leave,
    with the cycles from the last word in to their first one, and (known, address) after each step."""
    dut, rng = made(Arp), random.Random(seed)
    sent, states, last_in, data = [], [], [0], bytearray()
    cycle, begin = 0, 0

    async def host(ctx):
        ctx.set(dut.mac, MAC)
        ctx.set(dut.ip, ip)
        for step in steps:
            if isinstance(step, int):
                ctx.set(dut.target, step)
                ctx.set(dut.ask, 1)
                await ctx.tick()
                ctx.set(dut.ask, 0)
            else:
                frame, error = step if isinstance(step, tuple) else (step, False)
                for at in range(0, len(frame), 8):
                    chunk, last = frame[at:at + 8], at + 8 >= len(frame)
                    ctx.set(dut.frames.payload, {"data": int.from_bytes(chunk.ljust(8, b"\xEE"), "little"), "count": len(chunk),
                                                 "last": last, "error": error and last})
                    ctx.set(dut.frames.valid, 1)
                    await ctx.tick()
                ctx.set(dut.frames.valid, 0)
            await ctx.tick().repeat(30)
            states.append((ctx.get(dut.known), ctx.get(dut.address)))

    async def wire(ctx):
        nonlocal cycle, begin
        while True:
            ready = seed is None or rng.random() < 0.5
            ctx.set(dut.transmit.ready, ready)
            last_in[0] = cycle if ctx.get(dut.frames.valid) else last_in[0]
            if ctx.get(dut.transmit.valid) and ready:
                word = ctx.get(dut.transmit.payload)
                if not data:
                    begin = cycle
                data.extend(word.data.to_bytes(8, "little")[:word.count])
                if word.last:
                    sent.append((bytes(data), begin - last_in[0]))
                    data.clear()
            await ctx.tick()
            cycle += 1

    simulate(dut, host, processes=[wire])
    assert not data
    return sent, states


def fields(frame):
    ethernet = dpkt.ethernet.Ethernet(frame)
    arp = ethernet.data
    assert (len(frame), ethernet.type, arp.hrd, arp.pro, arp.hln, arp.pln) == (60, 0x0806, 1, 0x0800, 6, 4)
    assert ethernet.src == arp.sha
    return (ethernet.dst, arp.op, *(int.from_bytes(field, "big") for field in (arp.sha, arp.spa, arp.tha, arp.tpa)))


@pytest.mark.parametrize("seed", [None, 1])
def test_who_asks_is_answered(seed):
    sent, _ = run([packet(1), packet(1, sender=(7, 8), pad=False)], seed=seed)
    assert [fields(frame) for frame, _ in sent] == [
        (bytes_of(PEER_MAC, 6), 2, MAC, IP, PEER_MAC, PEER_IP), (bytes_of(7, 6), 2, MAC, IP, 7, 8)]
    if seed is None:
        assert [latency for _, latency in sent] == [Arp.LATENCY] * 2


def test_who_is_asked_for_is_known_when_he_speaks():
    sent, states = run([PEER_IP, packet(2, sender=(5, 6)), packet(2, target=(MAC, IP)), PEER_IP + 9, packet(2),
                        packet(1, sender=(11, PEER_IP + 9))])
    assert [fields(frame) for frame, _ in sent] == [
        (b"\xff" * 6, 1, MAC, IP, 0, PEER_IP), (b"\xff" * 6, 1, MAC, IP, 0, PEER_IP + 9),
        (bytes_of(11, 6), 2, MAC, IP, 11, PEER_IP + 9)]
    assert [known for known, _ in states] == [0, 0, 1, 0, 0, 1]
    assert (states[2][1], states[5][1]) == (PEER_MAC, 11)


def test_nothing_else_is_answered():
    good = packet(1)
    wrong = [(good, True), packet(2), packet(1, target=(0, IP ^ 1)), packet(1, target=(0, IP ^ 0x10000)), packet(1, hrd=2),
             packet(1, pro=0x86DD), packet(1, hln=8), packet(1, pln=16),
             good[:12] + b"\x08\x00" + good[14:], good[:41], good[:30], good[:8]]
    sent, _ = run([part for frame in wrong for part in (frame, good)])
    assert len(sent) == len(wrong)
    assert run([packet(1, target=(0, 0))], ip=0)[0] == []
