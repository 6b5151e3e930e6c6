"""Orders right at a limit: one is drawn, and the limit set to what it comes to, to one less, or to that with another bit."""

from dataclasses import replace

from hw.reasons import RejectReason
from sim.golden.records import BUY, REPLACE_ORDER, SELL, Order
from sim.golden.reference import Touch
from sim.golden.risk import MAX_PRICE, NO_OWN, Limits, Market
from tests.hw.risk.campaign_draws import MONEY, WORD, meaningless
from tests.hw.risk.gateway_bench import WITHOUT_MARKET
from tests.hw.risk.side_by_side import DAY_LEVELS, SYMBOLS, VENUES, SideBySide

WIDE = Limits(WORD, MONEY, WORD, 2**16 - 1, 1, waived=WITHOUT_MARKET | 1 << RejectReason.DEAD_MAN)
"""Nothing is refused."""

TRIES = 16

LEVEL_CYCLES = 7
"""Until the day's level is known."""


def edges(door: SideBySide) -> None:
    for _ in range(TRIES):
        calm(door)
        door.rng.choice(EDGES)(door)
    door.drain()
    door.clear_limits()
    door.switch(WIDE)


def calm(door: SideBySide) -> None:
    """Some orders end, so that there is a place; then nothing moves."""
    for _ in range(4):
        if answer := door.venues.answer():
            door.tell(meaningless(door.rng, answer))
    door.drain(8)


def sized(rng, most: int) -> int:
    """Of any length."""
    return min(rng.getrandbits(rng.randrange(1, most.bit_length() + 1)) + 1, most)


def draw(door: SideBySide, **fixed) -> Order:
    """Small enough that the batch goes on: what works and what the account has are not to come to an end."""
    rng = door.rng
    shares = sized(rng, WORD if rng.random() < 0.3 else 2**16)
    order = Order(1, rng.randrange(VENUES), rng.randrange(SYMBOLS), rng.randrange(2), shares, sized(rng, MAX_PRICE), day=rng.randrange(2))
    return order._replace(**fixed)


def near(rng, value: int, most: int) -> int:
    """The value, or one beside it."""
    value = max(0, value)
    less, other = max(0, value - 1), value ^ 1 << rng.randrange(max(1, value.bit_length()))
    return min(most, rng.choice([value, value, less, less, other]))


def put(door: SideBySide, limits: Limits, order: Order, own=NO_OWN) -> None:
    """Nothing but these limits stands against the order."""
    door.switch(limits)
    door.limit(order.symbol, own)
    for _ in range(4):
        door.cycle()


def at_limit(door: SideBySide) -> None:
    rng, risk, order = door.rng, door.risk, draw(door)
    notional, after = order.shares * order.price, risk.exposures[order.symbol].after(order.side, order.shares)
    firm = {
        "max_shares": (order.shares, WORD), "max_notional": (notional, MONEY), "max_position": (after, WORD),
        "max_day_notional": (risk.day_notional + notional, MONEY), "max_gross": (risk.account.gross + notional, MONEY),
        "max_net": (risk.account.net(order.side) + notional, MONEY), "max_open_orders": (risk.open.count + 1, 2**16 - 1)}
    own = {
        "max_shares": (order.shares, WORD), "max_notional": (notional, MONEY),
        "max_long" if order.side == BUY else "max_short": (after, WORD), "min_price": (order.price, WORD), "max_price": (order.price, WORD),
        "locates": (risk.sold_short[order.symbol] + order.shares, WORD)}
    if rng.random() < 0.5:
        name, (value, most) = rng.choice(list(firm.items()))
        put(door, replace(WIDE, **{name: near(rng, value, most)}), order)
    else:
        name, (value, most) = rng.choice(list(own.items()))
        put(door, WIDE, order, NO_OWN._replace(**{name: near(rng, value, most)}))
    door.offer(order)


def pair_at_limit(door: SideBySide) -> None:
    """The first leg alone, or with the second."""
    rng, risk, first = door.rng, door.risk, draw(door, pair=1)
    second = draw(door, venue=(first.venue + 1) % VENUES, symbol=(first.symbol + rng.randrange(1, SYMBOLS)) % SYMBOLS)
    both = [leg.shares * leg.price for leg in (first, second)]
    ahead = both[0] + rng.choice([0, both[1]])
    side = rng.choice([first.side, second.side])
    name, value = rng.choice([
        ("max_day_notional", risk.day_notional + ahead), ("max_gross", risk.account.gross + ahead),
        ("max_net", risk.account.net(side) + rng.choice([ahead, both[1]])), ("max_open_orders", risk.open.count + rng.choice([1, 2]))])
    put(door, replace(WIDE, **{name: near(rng, value, 2**16 - 1 if name == "max_open_orders" else MONEY)}), first)
    door.offer(first)
    while door.offered:
        door.cycle()
    door.offer(second)


def hear(door: SideBySide, touch: Touch) -> None:
    door.market = Market(touch)
    door.dut.set(tops__valid=1, tops__payload={name: value for name, value in touch._asdict().items() if name != "doubtful"})
    door.cycle()
    door.quieten()
    door.cycle()


def restart(door: SideBySide, venues: set[int]) -> None:
    """The books of these venues begin anew."""
    door.market = Market(restarted=venues)
    door.dut.set(restart=sum(1 << venue for venue in venues))
    door.cycle()
    door.quieten()


def at_reference(door: SideBySide) -> None:
    """As far from it as it may be in money, or by its price."""
    rng, order = door.rng, draw(door)
    deviation = rng.getrandbits(16)
    distance = rng.choice([sized(rng, WORD), (order.price * deviation) >> 16, 0])
    reference = order.price + (near(rng, distance, WORD) * rng.choice([1, -1]))
    if not 0 < reference < 2**32:
        return
    limits = replace(WIDE, waived=WIDE.waived & ~(1 << RejectReason.COLLAR | 1 << RejectReason.FAT_FINGER), max_distance=distance,
                     max_deviation=deviation)
    if rng.random() < 0.5:
        limits = replace(limits, **rng.choice([{"max_distance": WORD}, {"max_deviation": 2**16 - 1}]))
    put(door, limits, order)
    hear(door, Touch(order.venue, order.symbol, reference, reference))
    door.offer(order)


def at_bid(door: SideBySide) -> None:
    rng, order = door.rng, draw(door, side=SELL)
    put(door, WIDE, order, NO_OWN._replace(uptick_only=1))
    for venue in rng.sample(range(VENUES), rng.randrange(1, VENUES + 1)):
        bid = max(1, near(rng, order.price, WORD))
        hear(door, Touch(venue, order.symbol, bid, bid))
    if rng.random() < 0.4:
        restart(door, {rng.randrange(VENUES)})
    door.offer(order)


def at_own_order(door: SideBySide) -> None:
    """On the other side of one, at its price."""
    rng, standing = door.rng, [other.order for other in door.risk.open.orders.values() if other.order.day]
    if standing:
        other = rng.choice(standing)
        price = max(1, min(MAX_PRICE, rng.choice([near(rng, other.price, MAX_PRICE), other.price + 1])))
        order = draw(door, venue=other.venue, symbol=other.symbol, side=1 - other.side, price=price)
        put(door, WIDE, order)
        door.offer(order)


def once_more(door: SideBySide) -> None:
    """The same order again, some cycles later, or one that is not quite the same."""
    rng, order = door.rng, draw(door)
    window = rng.choice([0, 8, 16, 32, 64, WORD, WORD, WORD])
    put(door, replace(WIDE, duplicate_window=window, waived=WIDE.waived | 1 << RejectReason.SELF_MATCH), order)
    door.offer(order)
    for other in rng.sample(range(3), rng.randrange(3)):
        while door.offered:
            door.cycle()
        door.offer(draw(door, shares=other + 1))
    while door.offered:
        door.cycle()
    for _ in range(max(0, min(window, 99) - rng.randrange(12))):
        door.cycle()
    name, bits = rng.choice([("price", 31), ("shares", 32), ("venue", 1), ("symbol", 2), ("side", 1), *[(None, 1)] * 5])
    door.offer(order._replace(**{name: getattr(order, name) ^ 1 << rng.randrange(bits)}) if name else order)


def repeated(door: SideBySide) -> None:
    """A strategy has as many executions as it may, and one more, or not; then another order of it, or of another one."""
    rng = door.rng
    most, strategy = rng.randrange(1, 3), rng.choice([place for place in range(16) if place not in door.risk.executions.tripped] or [0])
    order = draw(door, strategy=strategy, shares=9)
    put(door, replace(WIDE, max_executions=most, execution_window=rng.choice([0, 0, 60])), order)
    key = order.venue, door.numbers[order.venue]
    door.offer(order)
    door.drain(0)
    if key in door.risk.open.orders:
        for _ in range(most + rng.randrange(2)):
            door.venues.fill(key, 1)
    while door.venues.outbox:
        door.tell(door.venues.answer(quiet=True))
        for _ in range(10):
            door.cycle()
    door.offer(draw(door, strategy=rng.choice([strategy, strategy ^ 1 << rng.randrange(4)])))
    door.drain()
    door.rearm(rng.choice([0, 0, 0, rng.getrandbits(16), 1 << strategy]))
    door.cycle()
    door.rearm(0)


def replaces(door: SideBySide) -> None:
    """A REPLACE at the limit of the position, by more or less than its order has."""
    rng, risk = door.rng, door.risk
    standing = [(key[1], other) for key, other in risk.open.orders.items() if not (other.waits or other.heir or other.cancelled)]
    if standing:
        reference, other = rng.choice(standing)
        order = other.order._replace(
            kind=REPLACE_ORDER, reference=reference, pair=0, price=sized(rng, MAX_PRICE),
            shares=max(1, rng.choice([near(rng, other.live, WORD), min(WORD, other.live + 1), sized(rng, WORD)])))
        after = risk.exposures[order.symbol].after(order.side, risk.more(order))
        put(door, replace(WIDE, max_position=near(rng, after, WORD)), order)
        door.offer(order)


def paced(door: SideBySide) -> None:
    """Two orders of a strategy or for a symbol, the second just in time or just too soon."""
    rng = door.rng
    interval, kind = rng.choice([40, 100, sized(rng, WORD)]), rng.choice(["strategy", "symbol"])
    order, window = draw(door, strategy=rng.randrange(16)), rng.choice([0, max(0, interval - rng.randrange(40)), interval])
    put(door, replace(WIDE, **{f"{kind}_interval": interval, f"{kind}_window": window}), order)
    for _ in range(2):
        door.offer(order._replace(shares=rng.randrange(1, 999), side=order.side if kind == "strategy" else rng.randrange(2),
                                  strategy=order.strategy if kind == "strategy" else rng.randrange(16)))
        while door.offered:
            door.cycle()
        for _ in range(min(rng.randrange(45), interval)):
            door.cycle()


def at_level(door: SideBySide) -> None:
    """A limit of the day of which what is used is just so many percent, or just not."""
    rng, used = door.rng, door.risk.day_notional
    for percent in DAY_LEVELS:
        door.switch(replace(WIDE, max_day_notional=near(rng, used * 100 // percent + rng.randrange(2), MONEY)))
        for _ in range(2 * LEVEL_CYCLES):
            door.cycle()
        door.compare_level()


EDGES = [at_limit, at_limit, at_limit, pair_at_limit, pair_at_limit, at_reference, at_bid, at_own_order, at_own_order, once_more, once_more,
         repeated, repeated, replaces, paced, at_level]
