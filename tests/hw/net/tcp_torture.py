"""A session of the card against a peer that knows nothing of it, over a network that loses, doubles, overtakes and breaks.

All of a run follows from its seed. ``python -m tests.hw.net.tcp_torture SEED ...`` replays and prints it.
"""

import heapq
import random
import sys

from hw.reasons import DownReason
from sim.golden.tcp import MODULUS, RST, SYN, Endpoints, Peer, Segment, ahead, parse_tcp, tcp_frame
from sim.verilated.tcp import CLOSE, CUT, OPEN, CompiledTcp

ENDS = Endpoints(0x020000000002, 0x020000000001, 0x0A000002, 0x0A000001, 26_477, 40_000)
"""Of what the card sends."""

MODES = ("close", "peer closes", "both close", "forged RST", "RST", "cut", "silence", "refused")
LONG = 2_000_000
"""Cycles after which a run has failed: nothing may hang."""


class Torture:
    """One run.

    Parameters
    ----------
    card : CompiledTcp
    seed : int
    """

    def __init__(self, card: CompiledTcp, seed: int, *, verbose: bool = False):
        self.rng = rng = random.Random(seed)
        self.card, self.seed, self.verbose = card, seed, verbose
        self.mode = MODES[seed % len(MODES)]
        self.initial = rng.choice([0, MODULUS - 1, MODULUS - rng.randrange(1, 4000), rng.getrandbits(32)])
        self.harm = {name: rng.choice([0, 0, 0.02, 0.15]) for name in ("loss", "copy", "overtake", "bit", "mac", "cut")}
        self.network, self.number = [], 0  # (time, number, to the card, frame, error)
        self.stream, self.spoken, self.heard = bytearray(), bytearray(), bytearray()
        self.delay = rng.choice([20, 200, 600])
        self.peer = Peer(self.answer, initial=rng.choice([0, MODULUS - 1, MODULUS - rng.randrange(1, 4000), rng.getrandbits(32)]),
                         window=rng.choice([150, 300, 1000, 8000, 200_000]), scale=rng.choice([None, 0, 1, 7, 14]),
                         mss=rng.choice([None, 64, 536, 1460]), timeout=rng.choice([1500, 4000]))
        self.peer.piece = rng.choice([1, 7, 100, 536, 1460])
        self.lazy = rng.random() < 0.4  # the peer's application stops reading now and then
        card.reset()
        card.configure(ENDS, initial=self.initial, timeout=2 * self.delay // 16 + rng.randrange(20, 60), keep_alive=1000,
                       tries=4 if self.mode == "silence" else 15)
        card.stall(transmit=rng.choice([0, 0, 30]), read=rng.choice([0, 0, 50, 90]), packet=rng.choice([0, 50]), seed=seed + 1)
        card.run(10)

    def told(self, *words):
        if self.verbose:
            print(f"{self.card.now:7}", *words)

    def demand(self, condition, what):
        assert condition, f"seed {self.seed} ({self.mode}), cycle {self.card.now}: {what}"

    # The network

    def pass_on(self, frame, *, to_card):
        rng, harm = self.rng, self.harm
        for _ in range(1 + (rng.random() < harm["copy"])):
            if rng.random() < harm["loss"]:
                continue
            data, error = bytearray(frame), False
            if rng.random() < harm["bit"]:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            if to_card and rng.random() < harm["cut"]:
                del data[rng.randrange(1, len(data)):]
            if to_card and rng.random() < harm["mac"]:
                error, data = True, bytearray(rng.randbytes(len(data)) if rng.random() < 0.5 else data)
            delay = self.delay + (rng.randrange(3 * self.delay) if rng.random() < harm["overtake"] else 0)
            self.number += 1
            heapq.heappush(self.network, (self.card.now + delay, self.number, to_card, bytes(data), error))

    def answer(self, segment):
        self.told("    peer", segment)
        self.pass_on(tcp_frame(ENDS.turned(), segment), to_card=True)

    def step(self):
        """To the next thing that happens."""
        card = self.card
        due = self.network[0][0] - card.now if self.network else 300
        for frame in card.run(max(1, min(due, 300))):
            self.check(frame)
            self.pass_on(frame.data, to_card=False)
        self.heard += card.bytes()
        self.demand(self.spoken.startswith(self.heard), "the application reads what was not sent")
        while self.network and self.network[0][0] <= card.now:
            _, _, to_card, data, error = heapq.heappop(self.network)
            if to_card:
                card.frame(data, error=error)
            elif segment := parse_tcp(data, ENDS):
                self.peer.receive(segment)
                self.demand(not self.peer.error, self.peer.error)
        if not self.lazy or self.rng.random() < 0.1:
            self.peer.read(self.rng.choice([10, 100, 1 << 20]))
        self.peer.work(card.now)
        self.demand(card.now < LONG, f"it hangs: card {card.state}, peer {self.peer.state}, {card.packets_left} packets left")

    def check(self, frame):
        """Well formed, and of a byte that was sent before the same again."""
        segment = parse_tcp(frame.data, ENDS)
        self.told("card", segment)
        self.demand(segment is not None, f"a broken frame: {frame.data.hex()}")
        if segment.payload:
            at = ahead(segment.sequence, (self.initial + 1) % MODULUS)
            taken = bytes(self.stream[at:at + len(segment.payload)])
            self.demand(at >= 0 and taken == segment.payload, "it sends other bytes than it took")
            if self.peer.state not in ("LISTEN", "SYN-RECEIVED", "CLOSED"):
                self.demand(ahead(self.peer.edge, segment.end) >= 0, "it sends more than the window holds")

    # The plan

    def run(self):
        card, rng = self.card, self.rng
        card.pulse(OPEN)
        if self.mode == "refused":
            return self.be_refused()
        if self.mode in ("RST", "silence", "cut") and rng.random() < 0.3:  # in the handshake, or soon after
            for _ in range(rng.randrange(1, 6)):
                self.step()
            return self.end()
        while card.state != "ESTABLISHED" and not card.downs:
            self.step()
        if card.downs:  # each of its few tries was lost
            self.demand(self.mode == "silence", "it gives up")
            return self.end()
        for _ in range(rng.randrange(1, 5)):
            self.talk()
            for _ in range(rng.randrange(60)):
                self.step()
            if self.mode == "forged RST" and self.peer.state == "ESTABLISHED":
                self.forge(RST, rng.choice([12_500, 16_000, -(1 << 31)]))  # where the peer will not be when it comes
                self.forge(SYN, rng.choice([0, 1, 77]))
        return self.end()

    def talk(self):
        for _ in range(self.rng.choice([0, 1, 5, 30])):
            packet = self.rng.randbytes(self.rng.choice([1, 3, 6, 7, 8, 12, 43, 49, 50, 55, 56]))
            self.stream += packet
            self.card.packet(packet)
        words = self.rng.randbytes(min(self.rng.choice([0, 1, 30, 700, 3000]), 100 * self.peer.piece))
        self.spoken += words
        self.peer.send(words)

    def forge(self, flag, offset):
        """A segment of somebody who knows all but what the card expects."""
        self.answer(Segment((self.peer.highest + offset) % MODULUS, 0, flag, 100))

    def end(self):
        card, peer, rng = self.card, self.peer, self.rng
        if self.mode in ("RST", "silence", "cut"):
            return self.break_off()
        for _ in range(rng.choice([0, 50])):
            self.step()
        while card.packets_left:
            self.step()
        if self.mode in ("close", "both close", "forged RST"):
            card.pulse(CLOSE)
        if self.mode in ("peer closes", "both close"):
            peer.close()
        self.lazy = False
        while card.state != "CLOSED" or peer.state not in ("CLOSED", "TIME-WAIT"):
            if peer.state == "CLOSE-WAIT":
                peer.close()
            if card.now > LONG // 2:
                self.harm = dict.fromkeys(self.harm, 0)
            self.step()
        card.stall()
        for _ in range(100):
            self.step()
        self.demand(peer.received == self.stream, f"{len(peer.received)} bytes of {len(self.stream)} came")
        self.demand(self.heard == self.spoken, f"{len(self.heard)} bytes of {len(self.spoken)} were read")
        expected = {"peer closes": {DownReason.PEER_CLOSED}, "both close": {DownReason.CLOSED, DownReason.PEER_CLOSED}}
        self.demand((card.downs, card.reason) in {(1, reason) for reason in expected.get(self.mode, {DownReason.CLOSED})},
                    f"down {card.downs} times, {DownReason(card.reason)!r}")
        return card

    def break_off(self):
        card, peer = self.card, self.peer
        self.harm = dict.fromkeys(self.harm, 0)
        before = card.state
        if self.mode == "cut":
            card.pulse(CUT)
            expected = {DownReason.CLOSED}
        elif self.mode == "silence":
            peer.state, expected = "CLOSED", {DownReason.TIMEOUT}
            peer.receive = lambda segment: None
            self.network.clear()
        else:
            expected = {DownReason.RESET, DownReason.REFUSED}
            peer.work = lambda now: None
            peer.state = "CLOSED"
            self.network.clear()
            while card.frames_left:
                self.step()
            sequence = card.expected if card.state != "SYN-SENT" else 0
            acknowledgment = (self.initial + 1) % MODULUS if card.state == "SYN-SENT" else peer.expected
            self.network.clear()
            card.frame(tcp_frame(ENDS.turned(), Segment(sequence, acknowledgment, RST | 16, 0)))
        while card.state != "CLOSED":
            self.step()
        card.stall()
        while card.packets_left:  # they don't wait for a session that is no more
            self.step()
        for _ in range(10):
            self.step()
        self.demand(card.state == "CLOSED" and card.downs == 1 and card.reason in expected,
                    f"from {before}: {card.state}, down {card.downs} times, {DownReason(card.reason)!r}")
        return card

    def be_refused(self):
        self.peer.state = "CLOSED"
        self.step()
        while self.card.state != "CLOSED":
            self.step()
        self.demand(self.card.reason == DownReason.REFUSED and self.card.downs == 1, f"{DownReason(self.card.reason)!r}")
        return self.card


if __name__ == "__main__":
    session = CompiledTcp()
    for argument in sys.argv[1:]:
        Torture(session, int(argument), verbose=True).run()
