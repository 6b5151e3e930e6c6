"""A day of orders from the whole compiled card to the exchange, the kernel's TCP, ARP and UDP between them, in a network namespace.

``unshare -rn python -m tests.end_to_end.kernel_card ORDERS [harm]``. With ``harm`` both ways of the order port lose, double, overtake and
delay frames: by the kernel's netem, or here in Python where the kernel has none. Prints what came of it as JSON.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter, deque

from host.card.addresses import OrderAddress
from host.card.control import BUY, SELL, Control
from host.card.events import OrderRejected, OrderSent, TopOfBook, VenueMessage
from host.card.limits import Limits
from host.card.orders import CANCEL
from host.card.sessions import Login, Times
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.golden.ouch50 import decode
from sim.venue.exchange import Exchange
from sim.venue.session import Addresses, VenueServer, WallClock
from sim.venue.settings import Login as VenueLogin
from sim.venue.settings import VenueSettings
from sim.verilated.build import library
from sim.verilated.tap import Tap
from tests.hw.net import namespace
from tests.hw.net.kernel_session import Wire, complaints, well_formed
from tests.sim.venue.clients import Client

VENUE, CARD, CARD_MAC, PORT = "10.9.0.1", "10.9.0.2", "02:00:00:00:09:02", 26_477
LINES = ("239.192.74.1", "239.192.74.2")
FEED_PORT = 26_478
NAME, PRICE, FAR = "ANTS", 24_0000, 1_0000
WINDOW = 16
"""Orders that may be without an answer."""
TICK = 256
STEP = 400
"""Cycles between two looks at the kernel."""
PATIENCE = 1200
"""Seconds."""
LIMITS = Limits(max_shares=10_000, max_notional=2**40, max_position=10_000_000, rate_burst=60_000, rate_interval=1)


def prepare():
    """The namespace's side of the wire; the kernel asks the card for its Ethernet address."""
    for command in ("ip link set lo up", "ip link set trapjaw0 address 02:00:00:00:09:01 mtu 1500", f"ip addr add {VENUE}/24 dev trapjaw0",
                    "ip link set trapjaw0 up", "ip route add 239.0.0.0/8 dev trapjaw0"):
        subprocess.run(command.split(), check=True)


class CardWire(Wire):
    """Multicast goes to the feed's lines, all else to the order port."""

    def step(self):
        while frame := self.tap.receive():
            if frame[:3] == b"\x01\x00\x5e":
                if frame[12:14] == b"\x08\x00" and frame[23] == 17:
                    self.card.queue(TINY.venues * (frame[33] - 1), [frame])  # line A or B of venue 0
            else:
                self.put(True, frame)
        self.card.run_until_frame(STEP)
        for frame in self.card.take_frames():
            self.frames.append(frame.data)
            self.put(False, frame.data)
        self.deliver(time.monotonic(), lambda frame: self.card.queue(self.card.reply_port, [frame]))


class Trader:
    """The host: sends orders through the card, and keeps the position by what it is told."""

    def __init__(self, control, orders):
        self.control, self.orders, self.rng = control, orders, random.Random(2)
        self.asked, self.sent, self.told, self.rejected = 0, {}, Counter(), Counter()
        self.answered, self.done, self.position, self.tops, self.lost = set(), 0, 0, [], 0
        self.trades, self.to_cancel, self.cancelled = False, deque(), 0

    def work(self):
        for event in self.control.drain_events():
            self.lost += event.lost
            match event:
                case OrderSent() if event.order_kind == CANCEL:
                    self.cancelled += 1
                case OrderSent():
                    self.sent[event.user_ref] = event
                case OrderRejected():
                    self.rejected[event.reason.name] += 1
                    self.asked -= 1
                case TopOfBook():
                    self.tops.append((event.bid_price, event.ask_price))
                case VenueMessage():
                    self.take(event)
        while self.trades and not self.control.read("HOST_ORDER_BUSY"):
            if self.to_cancel:
                self.control.orders.cancel(venue=0, symbol=0, user_ref=self.to_cancel.popleft())
            elif self.asked < self.orders and self.asked - self.done < WINDOW:
                self.ask()
            else:
                break

    def ask(self):
        """An order within the spread, at the other side's price, or so far away that it stands until it is cancelled."""
        side, step = self.rng.choice((BUY, SELL)), self.rng.choice((0, 100, -FAR))
        self.control.send_order(venue=0, symbol=0, side=side, shares=self.rng.randrange(1, 100),
                                price=PRICE + (step if side == BUY else -step), day=step == -FAR)
        self.asked += 1

    def take(self, message):
        self.told[message.type] += 1
        if message.type == "A":
            assert message.user_ref not in self.answered
            self.answered.add(message.user_ref)
            if abs(message.price - PRICE) == FAR:
                self.to_cancel.append(message.user_ref)
        elif message.type == "E":
            order = self.sent[message.user_ref]
            self.position += message.shares if order.side == BUY else -message.shares
            self.done += message.shares == order.shares
        elif message.type == "C":
            self.done += 1


def set_up(control, locate):
    control.sessions.use([0], tick_cycles=TICK)
    for name, group in zip(("FEED", "FEED_B"), LINES, strict=True):
        control.write(f"{name}_IP", int.from_bytes(bytes(map(int, group.split("."))), "big"), 0)
        control.write(f"{name}_PORT", FEED_PORT, 0)
    control.resync(0, 1)
    control.bind_symbol(0, 0, locate, NAME)
    control.set_limits(LIMITS)


def own_position(exchange):
    sides, total = {}, 0
    for message in exchange.told("TJ"):
        name, fields, _ = decode(message, inbound=False)
        if name == "accepted":
            sides[fields["user_ref"]] = 1 if fields["side"] == "B" else -1
        elif name == "executed":
            total += sides[fields["user_ref"]] * fields["quantity"]
    return total


async def day(orders, harm):
    tap = Tap(tap_name := "trapjaw0")
    exchange = Exchange(VenueSettings(seed=1, crowd=None, before=1, logins=(VenueLogin("TJ", "TRAPJAW"), VenueLogin("MAKER", "M"))))
    lines = tuple((group, FEED_PORT) for group in LINES)
    server = VenueServer(exchange, Addresses((VENUE, PORT), (VENUE, 0), lines), WallClock(exchange.now))
    prepare()
    without_netem = harm and namespace.harm(tap_name)
    await server.start()
    card = SimulatedCard(library(TINY))
    control = Control(card, TINY.name)
    set_up(control, exchange.locates[f"{NAME:<8}"])
    wire, trader, sessions = CardWire(tap, card, bool(without_netem)), Trader(control, orders), control.sessions
    end = time.monotonic() + PATIENCE
    maker = None

    async def until(done, work=True):
        while not done():
            assert time.monotonic() < end, f"nothing more happens: {sessions.state(0)}, {trader.told}, {trader.asked}, {trader.rejected}"
            server.step()
            wire.step()
            if work:
                trader.work()
            if maker:
                maker.wire.tick(exchange.now)
                maker.pump()
            await asyncio.sleep(0)

    # ARP: the card asks the kernel, and asks again where nothing comes back.
    sessions.ask(0, VENUE)
    asked = time.monotonic()

    def known():
        nonlocal asked
        if time.monotonic() > asked + 0.1:
            sessions.ask(0, VENUE)
            asked = time.monotonic()
        return sessions.answer(0) is not None

    await until(known, work=False)
    mac = sessions.answer(0)
    sessions.set_up(0, OrderAddress(mac, CARD_MAC, VENUE, CARD, PORT, 40_000), Times(
        timeout=100, keep_alive=60_000, tries=15, heartbeat=100, silence=60_000))  # the exchange has the time of day: 15 s
    control.arm()
    sessions.open(0, Login("TJ", "TRAPJAW"))
    await until(lambda: sessions.state(0).up, work=False)
    maker = Client(exchange, "MAKER", "M")
    for side in "BS":
        for _ in range(2 + orders // 20_000):
            maker.enter(side, 999_999, PRICE + (100 if side == "S" else -100))
    await until(lambda: (PRICE - 100, PRICE + 100) in trader.tops)
    trader.trades = True
    await until(lambda: trader.done == orders)
    position, state = control.position(0), control.state()
    sessions.logout(0)
    await until(lambda: sessions.state(0).state in ("closed", "time wait"))
    port, frames = exchange.ports["TJ"], [frame for frame in wire.frames if frame[12:14] == b"\x08\x00"]
    print(json.dumps({
        "mac": mac, "told": trader.told, "rejected": trader.rejected, "host": trader.position, "card": position,
        "venue": own_position(exchange), "fault": state.fault, "last": port.last_user_ref, "ignored": port.ignored, "lost": trader.lost,
        "cancelled": trader.cancelled, "frames": len(frames),
        "broken": sum(not well_formed(frame) for frame in frames), "tshark": complaints(frames),
        "again": control.counter("SESSION_RETRANSMITTED"), "refused": control.counter("SESSION_REFUSED"),
        "network": "clean" if not harm else without_netem or "netem", "cycles": card.cycle, "violations": bool(card.violations()),
    }))
    await server.stop()
    tap.close()


if __name__ == "__main__":
    asyncio.run(day(int(sys.argv[1]), "harm" in sys.argv[2:]))
