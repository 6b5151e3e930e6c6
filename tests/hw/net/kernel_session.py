"""A day of orders from the compiled TCP session to the exchange, the kernel's TCP in between, in a network namespace of its own.

``unshare -rn python -m tests.hw.net.kernel_session ORDERS [harm]``. With ``harm`` both ways lose, double, overtake and delay frames,
by the kernel's netem, or here in Python where the kernel has none. Prints what came of it as JSON.
"""

import asyncio
import heapq
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time

import dpkt

from sim.golden.ouch50 import Message, decode, encode
from sim.golden.tcp import Endpoints
from sim.venue.exchange import Exchange
from sim.venue.session import Addresses, VenueServer, WallClock
from sim.venue.settings import Login, VenueSettings
from sim.venue.soupbin import ClientConnection
from sim.verilated.tap import Tap
from sim.verilated.tcp import CLOSE, OPEN, CompiledTcp
from tests.hw.net import namespace
from tests.sim.venue.clients import Client, enter_order

VENUE, CARD, CARD_MAC = "10.9.0.1", "10.9.0.2", "02:00:00:00:09:02"
LOSS, COPY, OVERTAKE, JITTER = 0.05, 0.05, 0.10, 0.020
CYCLES_A_SECOND = 2_000_000
PRICE = 24_0000
WINDOW = 24
"""Orders that may be without an answer."""
PATIENCE = 1800
"""Seconds."""


def prepare(port):
    """The namespace's side of the wire."""
    for command in ("ip link set lo up", "ip link set trapjaw0 address 02:00:00:00:09:01 mtu 1500", f"ip addr add {VENUE}/24 dev trapjaw0",
                    "ip link set trapjaw0 up", f"ip neigh add {CARD} lladdr {CARD_MAC} dev trapjaw0 nud permanent"):
        subprocess.run(command.split(), check=True)
    return Endpoints(0x020000000901, 0x020000000902, 0x0A090001, 0x0A090002, port, 40_000)


class Wire:
    """Frames both ways between the card and the kernel; with ``harm`` they are lost, doubled and late."""

    def __init__(self, tap, card, harm):
        self.tap, self.card, self.harm, self.rng = tap, card, harm, random.Random(1)
        self.waiting, self.number, self.frames, self.last = [], 0, [], time.monotonic()

    def put(self, to_card, frame):
        rng = self.rng
        for _ in range(1 + (self.harm and rng.random() < COPY)):
            if self.harm and rng.random() < LOSS:
                continue
            delay = JITTER * rng.random() if self.harm and rng.random() < OVERTAKE else 0
            self.number += 1
            heapq.heappush(self.waiting, (time.monotonic() + delay, self.number, to_card, frame))

    def step(self):
        while frame := self.tap.receive():
            self.put(True, frame)
        now = time.monotonic()
        cycles, self.last = int(min(now - self.last, 0.01) * CYCLES_A_SECOND) + 1, now
        end = self.card.now + cycles
        while self.card.now < end:
            for frame in self.card.run(end - self.card.now):
                self.frames.append(frame.data)
                self.put(False, frame.data)
        self.deliver(now, self.card.frame)

    def deliver(self, now, to_card):
        """What is due goes on, to the card or to the kernel."""
        while self.waiting and self.waiting[0][0] <= now:
            _, _, inward, frame = heapq.heappop(self.waiting)
            (to_card if inward else self.tap.send)(frame)


class Trader:
    """Sends orders of all kinds through the card and keeps the position by what it is told."""

    def __init__(self, card, orders):
        self.card, self.orders, self.rng = card, orders, random.Random(2)
        self.client = ClientConnection("TJ", "TRAPJAW", 0)
        self.position, self.next, self.answered, self.told = 0, 1, set(), {}
        self.sides = {}

    def packet(self, message=None):
        if message is not None:
            self.client.send(message)
        if data := self.client.take():
            self.card.packet(data)

    def work(self):
        self.client.receive(self.card.bytes(), 0)
        for data in self.client.messages():
            self.take(decode(data, inbound=False))
        while self.client.logged_in and self.next <= self.orders and len(self.sides) - len(self.answered) < WINDOW:
            side = self.rng.choice("BS")
            shares, rests = self.rng.randrange(1, 100), self.rng.random() < 0.3
            step = -500 if rests else self.rng.choice([0, 100])  # away from the market, within the spread, or across it
            price = PRICE + (step if side == "B" else -step)
            self.packet(enter_order(user_ref=self.next, side=side, quantity=shares, price=price, time_in_force="0" if rests else "3"))
            self.sides[self.next] = side
            self.next += 1

    def take(self, message):
        self.told[message.name] = self.told.get(message.name, 0) + 1
        fields = message.fields
        if message.name == "accepted":
            assert fields["user_ref"] not in self.answered
            self.answered.add(fields["user_ref"])
            if fields["time_in_force"] == "0":
                self.packet(encode(Message("cancel_order", {"user_ref": fields["user_ref"], "quantity": 0})))
        elif message.name == "executed":
            self.position += fields["quantity"] if self.sides[fields["user_ref"]] == "B" else -fields["quantity"]

    @property
    def done(self):
        """Every order was accepted, and then filled or canceled."""
        return len(self.answered) == self.orders == self.told.get("canceled", 0) + self.told.get("executed", 0)


async def day(orders, harm):
    tap = Tap("trapjaw0")
    exchange = Exchange(VenueSettings(seed=1, crowd=None, before=1, logins=(Login("TJ", "TRAPJAW"), Login("MAKER", "M"))))
    server = VenueServer(exchange, Addresses((VENUE, 26_477), (VENUE, 0), ((VENUE, 9), (VENUE, 9))), WallClock(exchange.now))
    ends = prepare(26_477)
    without_netem = harm and namespace.harm("trapjaw0")
    await server.start()
    card = CompiledTcp()
    card.configure(ends, initial=int.from_bytes(random.Random(3).randbytes(4), "big"), timeout=CYCLES_A_SECOND // 16 // 20, tries=15,
                   keep_alive=30_000, tick_every=16)
    card.run(10)
    wire, trader = Wire(tap, card, bool(without_netem)), Trader(card, orders)
    server.step()
    maker = Client(exchange, "MAKER", "M")
    for side in "BS":
        for _ in range(2 + orders // 20_000):
            maker.enter(side, 999_999, PRICE + (100 if side == "S" else -100))
    end = time.monotonic() + PATIENCE
    card.pulse(OPEN)

    async def until(done):
        while not done():
            assert time.monotonic() < end, f"nothing more happens: {card.state}, {trader.told}, {trader.next}"
            server.step()
            wire.step()
            trader.work()
            maker.wire.tick(exchange.now)  # the exchange would cancel the orders of one who says nothing for 15 seconds
            maker.pump()
            await asyncio.sleep(0)

    await until(lambda: card.state == "ESTABLISHED")
    trader.packet()
    await until(lambda: trader.done and not exchange.ports["TJ"].orders)
    trader.client.logout()
    trader.packet()
    await until(lambda: card.unacknowledged == card.next)
    card.pulse(CLOSE)
    await until(lambda: card.state in ("TIME-WAIT", "CLOSED"))
    port = exchange.ports["TJ"]
    print(json.dumps({
        "told": trader.told, "position": trader.position, "venue": -position(maker), "last": port.last_user_ref, "ignored": port.ignored,
        "network": "clean" if not harm else without_netem or "netem",
        "frames": len(wire.frames), "broken": sum(not well_formed(frame) for frame in wire.frames), "pulses": card.pulses,
        "tshark": complaints(wire.frames),
    }))
    await server.stop()
    tap.close()


def well_formed(data):
    """What dpkt reads in a frame of the card, its checksums computed anew."""
    ip = dpkt.ethernet.Ethernet(data).data
    told, ip.data.sum, ip.sum = (ip.sum, ip.data.sum), 0, 0
    again = dpkt.ip.IP(bytes(ip))
    return (again.sum, again.data.sum) == told and ip.data.off == 5 + 2 * bool(ip.data.flags & dpkt.tcp.TH_SYN)


GOOD = "1"
"""A checksum's state, to tshark."""


def complaints(frames):
    """Frames, of TCP over IPv4 all, in which tshark finds a checksum wrong or something that can't be; None where it is not installed."""
    if shutil.which("tshark") is None:
        return None
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        writer = dpkt.pcap.Writer(file)
        for frame in frames:
            writer.writepkt(frame, 0)
        file.flush()
        command = ["tshark", "-n", "-r", file.name, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-T", "fields"]
        command += [argument for field in ("ip.checksum.status", "tcp.checksum.status", "_ws.malformed") for argument in ("-e", field)]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(found) == len(frames)
    return sum(line.split("\t") != [GOOD, GOOD, ""] for line in found)


def position(client):
    """Of what a client of the exchange was told."""
    sides, total = {}, 0
    for name, fields, _ in client.told:
        if name == "accepted":
            sides[fields["user_ref"]] = fields["side"]
        elif name == "executed":
            total += fields["quantity"] if sides[fields["user_ref"]] == "B" else -fields["quantity"]
    return total


if __name__ == "__main__":
    asyncio.run(day(int(sys.argv[1]), "harm" in sys.argv))
