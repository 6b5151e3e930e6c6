"""A day with the exchange simulator: OUCH in SoupBinTCP in TCP on the card's side, all in RTL; the venue's side in Python."""

from dataclasses import replace

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, flipped
from amaranth.lib.wiring import connect as join

from hw.config import TINY
from hw.order_entry.order_stop import OrderStop
from hw.order_entry.ouch50 import OuchOrders
from hw.order_session import OrderSession
from hw.reasons import AnswerKind, DownReason
from hw.risk.gateway import RiskGateway
from hw.types import Order
from sim.golden.ouch50 import Packet, decode, frame, order_packet
from sim.golden.records import BUY, SELL
from sim.golden.records import Order as Asked
from sim.golden.tcp import RST, Endpoints, Peer, parse_tcp, tcp_frame
from sim.venue.exchange import Exchange
from sim.venue.settings import Login as VenueLogin
from tests.hw.bench import made, simulate
from tests.sim.venue.clients import QUIET, Client

ENDS = Endpoints(0x020000000002, 0x020000000001, 0x0A000002, 0x0A000001, 26_477, 40_000)
PRICE = 24_0000
LATENCY = OuchOrders.LATENCY + OrderSession.LATENCY
"""Cycles from an order that is taken at the gateway's door to the first word of its frame."""
ORDERS = 30
ORDER_WORDS = 13
"""Of an order's frame."""
NAME = "ANTS"


def text(value, width, *, right=False):
    return int.from_bytes((value.rjust(width) if right else value.ljust(width)).encode(), "little")


class Venue:
    """The exchange behind a TCP of its own; frames of whole seconds never come into it, as its clock is the card's cycles."""

    def __init__(self):
        logins = (VenueLogin("TJ", "TRAPJAW"), VenueLogin("MAKER", "M"))
        self.exchange = Exchange(replace(QUIET, before=1, logins=logins))
        self.exchange.advance(self.exchange.now + 1_000_000)
        self.maker = Client(self.exchange, "MAKER", "M")
        self.frames, self.first_words, self.heard, self.left = [], [], 0, []
        self.silent = False
        self.connect()

    def connect(self):
        self.tcp, self.server, self.heard = Peer(self.answer, initial=7000 + self.heard), self.exchange.connect(), 0

    def answer(self, segment):
        self.frames.append(tcp_frame(ENDS.turned(), segment))

    async def wire(self, ctx, dut):
        """Frames both ways, word by word. Those that end with an error are nobody's."""
        data, words, cycle, coming, pause = b"", 0, 0, b"", 0
        while True:
            ctx.set(dut.transmit.ready, 1)
            ctx.set(dut.tick, cycle % 16 == 0)
            if not coming and self.frames and not pause:
                coming = self.frames.pop(0)
            ctx.set(dut.frames.valid, bool(coming))
            if coming:
                ctx.set(dut.frames.payload, {"data": int.from_bytes(coming[:8], "little"), "count": min(8, len(coming)),
                                             "last": len(coming) <= 8})
                coming = coming[8:]
                pause = 0 if coming else 3
            pause = max(0, pause - 1)
            if ctx.get(dut.transmit.valid):
                word = ctx.get(dut.transmit.payload)
                if not words:
                    self.first_words.append(cycle)
                data, words = data + word.data.to_bytes(8, "little")[:word.count], words + 1
                if word.last:
                    self.left.append((self.first_words[-1], cycle, data, word.error))
                    if not word.error:
                        self.take(data)
                    data, words = b"", 0
            await ctx.tick()
            cycle += 1
            self.cycle = cycle

    def take(self, data):
        segment = parse_tcp(data, ENDS)
        assert segment is not None, data.hex()
        self.tcp.receive(segment)
        self.server.receive(bytes(self.tcp.received[self.heard:]), self.exchange.now)
        self.heard = len(self.tcp.received)
        self.maker.pump()
        if not self.silent:
            self.tcp.send(self.server.take())
        if self.server.closed:
            self.tcp.close()
        self.tcp.work(self.cycle)


def test_a_day_with_the_exchange():
    """Fills, cancels, a rejection; a cut, and a second session that goes on with the next message; then a logout."""
    dut, venue, replies, downs = made(OrderSession, 1), Venue(), [], []

    async def send(ctx, ouch_packet):
        for at in range(0, len(ouch_packet), 8):
            chunk = ouch_packet[at:at + 8]
            total = sum(byte << 8 * (index % 2 == 0) for index, byte in enumerate(ouch_packet))
            ctx.set(dut.orders.payload, {"data": int.from_bytes(chunk, "little"), "count": len(chunk), "last": at + 8 >= len(ouch_packet),
                                         "length": len(ouch_packet)})
            ctx.set(dut.orders_sum, total)
            ctx.set(dut.orders.valid, 1)
            while not (await ctx.tick().sample(dut.orders.ready))[2]:
                pass
        ctx.set(dut.orders.valid, 0)

    async def order(ctx, number, side, price, *, shares=100):
        await send(ctx, order_packet(Asked(1, 1, 0, side, shares, price), name=NAME, user_ref=number))
        await ctx.tick().repeat(400)

    async def day(ctx):
        ctx.set(dut.address, ENDS._asdict())
        for name, value in (("timeout", 500), ("keep_alive", 50_000), ("tries", 5), ("heartbeat", 1000), ("silence", 50_000)):
            ctx.set(getattr(dut, name), value)
        await ctx.tick().repeat(8)
        venue.maker.enter("S", 500, PRICE)
        await connect(ctx, dut, initial=0xFFFFFF00, sequence=1)
        await order(ctx, 1, BUY, PRICE, shares=300)
        await order(ctx, 2, SELL, PRICE + 100)
        await order(ctx, 3, BUY, 7)
        ctx.set(dut.cut, 1)
        await ctx.tick()
        ctx.set(dut.cut, 0)
        await ctx.tick().repeat(100)
        assert not ctx.get(dut.up)
        assert venue.tcp.state == "CLOSED"
        venue.server.close("the connection is lost")
        venue.connect()
        await connect(ctx, dut, initial=5, sequence=ctx.get(dut.number))
        await order(ctx, 3, BUY, PRICE)
        await order(ctx, 4, BUY, PRICE, shares=50)
        ctx.set(dut.logout, 1)
        await ctx.tick()
        ctx.set(dut.logout, 0)
        await ctx.tick().repeat(300)
        assert venue.server.closed == "logout"

    async def watch(ctx):
        async for _, _, valid, reply, down, reason in ctx.tick().sample(dut.replies.valid, dut.replies.payload, dut.down, dut.reason):
            if valid:
                replies.append((AnswerKind(reply.kind), reply.user_ref, reply.shares, reply.number))
                assert reply.venue == 1
            if down:
                downs.append(DownReason(reason))

    async def wire(ctx):
        await venue.wire(ctx, dut)

    simulate(dut, day, processes=[wire, watch])
    told = [decode(message, inbound=False) for message in venue.exchange._accounts["TJ"].messages]
    assert [number for *_, number in replies] == list(range(1, len(told) + 1))
    kinds = {"executed": AnswerKind.FILLED, "canceled": AnswerKind.RELEASED, "rejected": AnswerKind.ENDED}
    assert [(kind, user_ref) for kind, user_ref, *_ in replies] == [
        (kinds.get(message.name, AnswerKind.NOTED), message.fields.get("user_ref", 0)) for message in told]
    assert sum(shares for kind, _, shares, _ in replies if kind == AnswerKind.FILLED) == 350
    assert downs == [DownReason.CLOSED, DownReason.PEER_CLOSED]
    assert venue.exchange.ports["TJ"].ignored == 1  # number 3 was used up before the cut


async def connect(ctx, dut, *, initial, sequence):
    ctx.set(dut.login, {"user": text("TJ", 6), "password": text("TRAPJAW", 10), "session": text("", 10, right=True),
                        "sequence": text(str(sequence), 20, right=True)})
    ctx.set(dut.initial_sequence, initial)
    ctx.set(dut.open, 1)
    await ctx.tick()
    ctx.set(dut.open, 0)
    await ctx.tick().repeat(500)
    assert ctx.get(dut.up)


class Path(wiring.Component):
    """Order entry and one session, from the gateway's door to the wire."""

    def __init__(self):
        self.session = OrderSession(1)
        members = {name: self.session.signature.members[name] for name in (
            "frames", "transmit", "address", "open", "tick", "initial_sequence", "timeout", "keep_alive", "tries", "login", "heartbeat",
            "silence", "up", "state", "down", "reason", "cut", "logout")}
        self.kill, self.aborts = Signal(), Signal()
        self.sent = {name: Signal(name=name) for name in ("begins", "lost", "aborts")}
        super().__init__({"orders": In(stream.Signature(Order)), **members})
        self._members = members

    def elaborate(self, platform):
        m = Module()
        m.submodules.session = session = self.session
        m.submodules.ouch = ouch = OuchOrders(TINY)
        m.submodules.stop = stop = OrderStop(TINY)
        shown = ("up", "state", "down", "reason")
        join(m, flipped(self.orders), ouch.orders)
        join(m, flipped(self.frames), session.frames)
        join(m, session.transmit, flipped(self.transmit))
        for name in ("valid", "payload"):
            m.d.comb += getattr(session.orders, name).eq(getattr(ouch.packet, name))
        m.d.comb += [
            ouch.packet.ready.eq(session.orders.ready), session.orders_sum.eq(ouch.packet_sum), ouch.link_free.eq(session.free),
            *(getattr(self, name).eq(getattr(session, name)) for name in shown), *(
                getattr(session, name).eq(getattr(self, name)) for name in self._members if name not in ("frames", "transmit", *shown)),
            stop.switches.kill.eq(self.kill), stop.aborts.eq(self.aborts << 1), stop.order.eq(ouch.packet.payload.order),
            stop.valid.eq(ouch.packet.valid), stop.ends.eq(ouch.packet.ready & ouch.packet.payload.last),
            session.stop.eq(stop.stop), session.abort.eq(stop.abort),
            *(signal.eq(getattr(session, name)) for name, signal in self.sent.items()),
        ]
        return m


def test_three_cycles_from_the_door_to_the_wire_and_an_order_in_seventeen():
    """As the gateway does it: an order is taken up when order entry is ready, and stands at its door four cycles later. The venue says
    nothing meanwhile but that it has the bytes."""
    dut, venue, taken, left = made(Path), Venue(), [], []

    async def day(ctx):
        ctx.set(dut.address, ENDS._asdict())
        for name, value in (("timeout", 500), ("keep_alive", 50_000), ("tries", 5), ("heartbeat", 60_000), ("silence", 50_000)):
            ctx.set(getattr(dut, name), value)
        await connect(ctx, dut, initial=0xFFFFFF00, sequence=1)
        await ctx.tick().repeat(50)
        venue.silent = True
        ctx.set(dut.orders.payload, Asked(1, 1, 0, BUY, 100, PRICE)._asdict() | {"ingress": 0})
        for _ in range(ORDERS):
            while not ctx.get(dut.orders.ready):
                await ctx.tick()
            await ctx.tick().repeat(RiskGateway.LATENCY)
            ctx.set(dut.orders.valid, 1)
            while not ctx.get(dut.orders.ready):
                await ctx.tick()
            await ctx.tick()
            ctx.set(dut.orders.valid, 0)
        await ctx.tick().repeat(40)

    async def wire(ctx):
        await venue.wire(ctx, dut)

    async def watch(ctx):
        cycle, begins, words = 0, 0, 0
        async for _, _, takes, valid, word in ctx.tick().sample(dut.orders.valid & dut.orders.ready, dut.transmit.valid,
                                                                dut.transmit.payload):
            cycle += 1
            if takes:
                taken.append(cycle)
            if valid:  # the wire takes every word
                begins, words = begins if words else cycle, words + 1
                if word.last:
                    if taken and words > 8:  # an order's, not an acknowledgment
                        left.append(begins)
                    words = 0

    simulate(dut, day, processes=[wire, watch])
    assert [first - cycle for first, cycle in zip(left, taken, strict=True)] == [LATENCY] * ORDERS
    assert LATENCY <= 3
    assert max(b - a for a, b in zip(left, left[1:], strict=False)) <= 17


class Stopped:
    """One order of a session that is logged in, and something that stops it ``after`` so many cycles of its offer; then a new session."""

    def __init__(self, after, *, kill=0, aborts=0, cut=0, logout=0, heard=None):
        self.dut, self.venue, self.told, self.downs = made(Path), Venue(), [], []
        self.after, self.pulses = after, {"cut": cut, "logout": logout}
        self.kill, self.aborts, self.heard = kill, aborts, heard  # cycles before the order at which the venue says something
        simulate(self.dut, self.day, processes=[self.wire, self.watch])
        self.frames = [frame for frame in self.venue.left[self.before:self.between] if len(frame[2]) > 60 or frame[3]]
        """Of packets: (first cycle, last cycle, bytes, error)."""
        segments = [parse_tcp(data, ENDS) for _, _, data, error in self.venue.left[self.before:self.between] if not error]
        self.resets = [segment.sequence for segment in segments if segment.flags & RST]

    async def day(self, ctx):
        dut, venue = self.dut, self.venue
        ctx.set(dut.address, ENDS._asdict())
        for name, value in (("timeout", 20), ("keep_alive", 50_000), ("tries", 5), ("heartbeat", 60_000), ("silence", 50_000)):
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.aborts, self.aborts)
        await connect(ctx, dut, initial=0xFFFFFF00, sequence=1)
        self.before = len(venue.left)
        if self.heard is not None:
            venue.tcp.send(frame(Packet("H")))
            venue.tcp.work(venue.cycle)
            await ctx.tick().repeat(self.heard)
        ctx.set(dut.orders.payload, Asked(1, 1, 0, BUY, 100, PRICE)._asdict() | {"ingress": 0})
        ctx.set(dut.orders.valid, 1)
        await ctx.tick().until(dut.orders.ready)
        ctx.set(dut.orders.valid, 0)
        for _ in range(self.after):
            await ctx.tick()
        self.stopped = venue.cycle + 1  # its count of this cycle is still to come
        for name, value in self.pulses.items():
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.kill, self.kill)
        await ctx.tick()
        for name in self.pulses:
            ctx.set(getattr(dut, name), 0)
        await ctx.tick().repeat(800)
        ctx.set(dut.kill, 0)
        self.up, self.between, self.received = ctx.get(dut.up), len(venue.left), venue.exchange.ports["TJ"].last_user_ref
        self.peer, self.expected = venue.tcp.state, venue.tcp.expected
        if not self.up:
            venue.server.close("the connection is lost")
            venue.connect()
            await connect(ctx, dut, initial=5, sequence=1)
        ctx.set(dut.orders.valid, 1)
        await ctx.tick().until(dut.orders.ready)
        ctx.set(dut.orders.valid, 0)
        await ctx.tick().repeat(400)
        assert venue.exchange.ports["TJ"].last_user_ref == 2

    async def wire(self, ctx):
        await self.venue.wire(ctx, self.dut)

    async def watch(self, ctx):
        dut = self.dut
        async for _, _, down, reason, *pulses in ctx.tick().sample(dut.down, dut.reason, *dut.sent.values()):
            self.told += [name for name, pulse in zip(dut.sent, pulses, strict=True) if pulse]
            if down:
                self.downs.append(DownReason(reason))


@pytest.mark.parametrize("why", ["cut", "logout"])
def test_a_session_that_ends_with_a_frame_on_its_way_comes_again(why):
    """Whatever of an order's packet has been taken: its frame is whole, or there is none, and the next session has its order."""
    for after in (0, 1, 2, 4, 6, 7, 8, 13):
        run = Stopped(after, **{why: 1})
        assert run.told[0] in ("begins", "lost")
        assert len(run.frames) == (run.told[0] == "begins") or why == "logout"
        assert not any(error for *_, error in run.frames)


def test_kill_lets_the_frame_on_its_way_finish():
    """The session stays, and what has begun comes to the venue."""
    for after in (0, 5, 13):
        run = Stopped(after, kill=1)
        assert run.told[:1] == ["begins"]
        assert run.up
        assert (run.downs, run.received) == ([], 1)
        assert len(run.frames) == 1
        first, last, _, error = run.frames[0]
        assert (last - first + 1, error) == (ORDER_WORDS, 0)


def test_kill_throws_away_what_waits_behind_an_acknowledgment():
    """Or, where its frame has begun, lets it finish; the session stays, and the order that comes next is whole."""
    # The order goes first; waits until it is stopped, or is stopped when it could begin, or begins just before; was not taken up so soon.
    for heard, after, leaves in ((16, 2, True), (17, 2, False), (17, 6, False), (17, 7, True), (18, 2, True)):
        run = Stopped(after, kill=1, heard=heard)
        assert run.told == ["begins" if leaves else "lost", "begins"]
        assert (len(run.frames), run.received, run.up, run.downs) == (leaves, leaves, 1, [])


def test_kill_aborts_the_frame_on_its_way_and_its_session():
    """The third word at the earliest, two cycles after KILL: the last with an error. Its bytes never come again; a RST ends the connection
    with the venue at the first attempt."""
    cuts = 0
    for after in (0, 1, 2, 3, 5, 8, 10, 11, 12, 13, 14):
        run = Stopped(after, kill=1, aborts=1)
        (first, last, _, error), *more = run.frames
        assert not more
        assert run.told[0] == "begins"
        if run.stopped + 2 <= first + ORDER_WORDS - 1:
            assert error
            assert last == max(run.stopped + 2, first + 2)
            assert (run.told, run.downs[0], run.received) == (["begins", "aborts", "begins"], DownReason.ABORTED, 0)
            assert (run.peer, run.resets) == ("CLOSED", [run.expected])
            assert not run.up
            cuts += 1
        else:
            assert (last - first + 1, error, run.up, run.received) == (ORDER_WORDS, 0, 1, 1)
    assert cuts == 8
