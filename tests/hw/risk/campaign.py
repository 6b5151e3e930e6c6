"""Random stateful orders, replies, limits, switches and markets on the compiled gateway, all that it says compared with the model."""

from collections import deque

from sim.golden.open_orders import MOVED, Answer
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL, Order
from sim.golden.risk import NO_OWN, Limits, Market
from sim.verilated.gateway import CompiledGateway
from tests.hw.risk.campaign_draws import (
    WORD,
    Scale,
    alike,
    longer,
    meaningless,
    random_limits,
    random_order,
    random_symbol_limits,
    random_touch,
)
from tests.hw.risk.campaign_faults import fail
from tests.hw.risk.campaign_scenes import SCENES
from tests.hw.risk.side_by_side import SYMBOLS, VENUES, SideBySide

BATCH = 500
"""Orders between two restarts: positions are cleared and set anew, and whatever was open is forgotten by all."""


class Campaign(SideBySide):
    """Each batch begins with other positions and ends when the last answer has been settled."""

    def __init__(self, seed: int, dut: CompiledGateway | None = None):
        super().__init__(seed, dut)
        self._strategy, self._scale = 1, Scale()
        self.switch(Limits(heartbeat_interval=WORD, waived=0))  # longer than anybody can be silent, and yet nobody has been heard
        for _ in range(9):
            self.cycle()
        self._restart()

    def run(self, orders: int) -> None:
        """Raises AssertionError at the first difference."""
        while orders > 0:
            self._batch(min(orders, BATCH))
            orders -= BATCH

    def _batch(self, orders):
        rng, asked = self.rng, deque(maxlen=2)
        while orders or self.busy:
            if rng.random() < 0.02:
                self._change()
            if orders and self.offered is None and rng.random() < 0.7:
                again = asked and rng.random() < 0.12
                self.offer(
                    alike(rng, rng.choice(asked)) if again else self._about_another() if rng.random() < 0.2
                    else random_order(rng, self._scale, self._strategy))
                asked.append(self.offered[0])
                orders -= 1
            self._hear(quiet=not orders)
            self.cycle()
            if rng.random() < 0.005:
                self.drain()
                rng.choice(SCENES)(self)
        self.drain()
        self.compare()
        self._add_up()
        self.counted()
        fail(self)
        self._restart()

    # what happens around the gateway

    def _change(self):
        """Other limits and switches, from this cycle on."""
        rng, risk, dut = self.rng, self.risk, self.dut
        some = [{number for number in range(size) if rng.random() < 0.02} for size in (VENUES, 16, SYMBOLS, SYMBOLS, VENUES)]
        self.switch(
            random_limits(rng, risk, self._scale), armed=rng.random() < 0.95, limits_valid=rng.random() < 0.97, kill=rng.random() < 0.03,
            reducing=rng.random() < 0.1, broken=rng.randrange(len(vars(risk.limits))) if rng.random() < 0.02 else None,
            **dict(zip(("venues", "strategies", "symbols", "restricted", "unreachable"), some, strict=True)))
        symbol = rng.randrange(SYMBOLS, 256) if rng.random() < 0.1 else rng.randrange(SYMBOLS)
        self.limit(symbol, NO_OWN if rng.random() < 0.6 else random_symbol_limits(rng, risk.sold_short[symbol], self._scale))
        self.halted = {(venue, symbol) for venue in range(VENUES) for symbol in range(SYMBOLS) if rng.random() < 0.1}
        dut.set(halted=[sum(1 << symbol for at, symbol in self.halted if at == venue) for venue in range(VENUES)])
        self._strategy = rng.choice([1, rng.randrange(16)])

    def _about_another(self) -> Order:
        """A REPLACE or a CANCEL of an order that is open, mostly."""
        rng, scale = self.rng, self._scale
        if not self.risk.open.orders or rng.random() < 0.1:
            near = (rng.choice(self.numbers) - rng.randrange(9)) % 2**32
            return random_order(rng, scale, self._strategy)._replace(kind=REPLACE_ORDER, pair=0, reference=near)
        (_, reference), other = rng.choice(list(self.risk.open.orders.items()))
        order = other.order._replace(
            kind=CANCEL_ORDER if rng.random() < 0.2 else REPLACE_ORDER, reference=reference,
            shares=longer(rng, rng.randrange(1, 120), scale.share_bits), price=longer(rng, rng.randrange(1, 2_000), scale.price_bits),
            pair=rng.random() < 0.02)
        if rng.random() < 0.9:
            return order
        name, bits = rng.choice([("strategy", 4), ("reference", 32), ("symbol", 2), ("side", 1), ("venue", 4)])  # almost the same
        return order._replace(**{name: getattr(order, name) ^ 1 << rng.randrange(bits)})

    def _hear(self, *, quiet):
        """Replies, the market, the host."""
        rng, dut = self.rng, self.dut
        reply = self.venues.answer(quiet=quiet) if rng.random() < 0.1 and len(self.told) < 10 else None
        if reply:
            self.told.append(meaningless(rng, reply))
            dut.set(replies__payload=self.told[-1]._asdict())
        touch = random_touch(rng, self._scale) if rng.random() < 0.2 else None
        if touch:
            dut.set(tops__payload=top(rng, touch))
        stale, restart = (sum(1 << venue for venue in range(VENUES) if rng.random() < odds) for odds in (0.01, 0.0005))
        self.market = Market(touch, *({venue for venue in range(VENUES) if bits >> venue & 1} for bits in (stale, restart)))
        self.heartbeat = rng.random() < 0.01
        self.rearm(rng.getrandbits(16) if rng.random() < 0.04 else 0)
        dut.set(replies__valid=reply is not None, tops__valid=touch is not None, stale=stale, restart=restart, heartbeat=self.heartbeat)

    # while nothing moves

    def _add_up(self):
        """What works is what is left of the open orders, if no venue brought more to work than was reserved, which is a fault."""
        risk = self.risk
        for symbol, exposure in enumerate(risk.exposures):
            for side in (BUY, SELL) if risk.open.counts["unreserved"] == self._unreserved else ():
                left = [other.left for other in risk.open.orders.values() if (other.order.symbol, other.order.side) == (symbol, side)]
                assert exposure.working(side) == sum(left)
        assert risk.account.working == tuple(
            sum(shares * order.price for order, shares in risk.open.reserved().values() if order.side == side) for side in (BUY, SELL))

    def _restart(self):
        """Cleared, and positions set by hand: what a host does after a restart."""
        rng = self.rng
        self._scale, self._unreserved = Scale.drawn(rng), self.risk.open.counts["unreserved"]
        self.clear()
        self.number_from([rng.choice([number, rng.getrandbits(32), 2**32 - rng.randrange(1, 99)]) for number in self.numbers])
        for symbol in range(SYMBOLS):
            shares = rng.choice([0, min(rng.randrange(300) << self._scale.share_bits, WORD)])
            self.tell(Answer(MOVED, symbol=symbol, side=rng.randrange(2), shares=shares))
            for _ in range(12):
                self.cycle()
        self._change()


def top(rng, touch) -> dict:
    """Fields of a top of book; those that nobody looks at are anything."""
    doubt = {rng.choice(["stale", "crossed", "partial"]): 1} if touch.doubtful else {}
    return {
        name: value for name, value in touch._asdict().items() if name != "doubtful"} | doubt | {
        "bid_shares": rng.getrandbits(32), "ask_shares": rng.getrandbits(32), "halted": rng.getrandbits(1), "changed": rng.getrandbits(1)}
