"""Ways in which a batch may end: after these the card can't be sure, and nothing new leaves before positions are cleared."""

from dataclasses import replace

from sim.golden.open_orders import ENDED, FILLED, MOVED, NOTED, RELEASED, REPLACED, Answer, OpenOrder
from sim.golden.records import REPLACE_ORDER, Order
from sim.golden.reference import Touch
from sim.golden.risk import MAX_PRICE, NO_OWN
from tests.hw.risk.campaign_draws import WORD
from tests.hw.risk.campaign_edges import WIDE, hear, restart
from tests.hw.risk.campaign_scenes import ANSWER, QUEUE, cancel_all, lose, next_number, place
from tests.hw.risk.side_by_side import SYMBOLS, VENUES, SideBySide

GROSS_BITS = 68
"""Of the register of the account's gross notional."""


def fail(door: SideBySide) -> None:
    """One of them, if it can be. Then orders are refused; what is open is cancelled if the host wants it."""
    door.switch(WIDE)
    door.rearm(2**16 - 1)
    door.cycle()
    door.rearm(0)
    if not door.rng.choice([wrong_answer, wrong_answer, too_many_answers, too_much, lost_for_order, lost_for_order, lost_for_answer])(door):
        return
    door.said["failed"] += 1
    for _ in range(3):
        door.offer(probe(door))
        door.drain()
    assert door.risk.fault
    if not door.lost:
        cancel_all(door)


def probe(door: SideBySide, *, venue: int | None = None, symbol: int | None = None, strategy: int = 1) -> Order:
    """Nothing stands against it."""
    rng = door.rng
    venue, symbol = (rng.randrange(size) if given is None else given for given, size in ((venue, VENUES), (symbol, SYMBOLS)))
    return Order(strategy, venue, symbol, rng.randrange(2), 1, rng.randrange(1, 99))


def wrong_answer(door: SideBySide) -> bool:
    """It tells of what can't have happened, or the one before it was not told."""
    rng, orders = door.rng, door.risk.open.orders
    venue, shares = rng.randrange(VENUES), rng.randrange(1, 50)
    if rng.random() < 0.2 and venue in door.risk.open.expected:
        door.tell(Answer(NOTED, venue, number=next_number(door, venue, 1 << rng.randrange(31))))
    elif rng.random() < 0.3 or not orders:
        door.tell(Answer(FILLED, rng.choice([venue, rng.randrange(VENUES, 16)]), rng.getrandbits(32), next_number(door, venue), shares))
    else:
        key, other = rng.choice(list(orders.items()))
        door.tell(Answer(FILLED, *key, next_number(door, key[0]), min(other.left + shares, WORD)))
    door.drain()
    return door.risk.fault


def too_many_answers(door: SideBySide) -> bool:
    for _ in range(2 * QUEUE):
        door.tell(Answer(RELEASED, 9, shares=5))
        door.doubt = True
    for _ in range(8 * QUEUE):
        door.cycle()
    door.told.clear()
    return settled(door)


def too_much(door: SideBySide) -> bool:
    """More is held than a register holds: of a symbol, or by the account."""
    rng, risk = door.rng, door.risk
    if rng.random() < 0.7:
        door.switch(WIDE, armed=False)
        symbol, side = rng.randrange(SYMBOLS), rng.randrange(2)
        for _ in range(3):
            door.tell(Answer(MOVED, symbol=symbol, side=side, shares=WORD))
            door.drain()
        door.switch(WIDE)
        return risk.fault
    door.switch(replace(WIDE, waived=2**31 - 1))
    order = probe(door)._replace(shares=WORD, price=MAX_PRICE)
    for _ in range(4 << GROSS_BITS - 64):
        if risk.fault or risk.account.gross >= 1 << GROSS_BITS:
            return settled(door)
        key = order.venue, door.numbers[order.venue]
        door.offer(order)
        door.doubt = True
        door.drain()
        door.doubt = False
        order = order._replace(side=1 - order.side)
        if key in risk.open.orders and risk.account.gross < 1 << GROSS_BITS:
            door.tell(Answer(FILLED, *key, next_number(door, key[0]), WORD))
            door.drain()
    return False


def settled(door: SideBySide) -> bool:
    """By now it must be known."""
    door.risk.fault = True
    door.doubt = False
    return True


def lost_for_order(door: SideBySide) -> bool:
    """A row of a memory has lost a bit, which is seen when an order is held against it."""
    rng, risk, reference = door.rng, door.risk, door.door.reference
    memory = rng.choice(["exposure", "by_key.table", "by_key.locates", "by_key.strategy_rate", "by_key.symbol_rate", "reference",
                         *(f"reference.bids_{venue}" for venue in range(VENUES)), "table"])
    rows = {
        "exposure": (98, {symbol: {"symbol": symbol} for symbol in range(SYMBOLS)}),
        "by_key.table": (258, {symbol: {"symbol": symbol} for symbol in risk.symbol_limits if symbol < SYMBOLS}),
        "by_key.locates": (33, {symbol: {"symbol": symbol} for symbol in risk.sold_short}),
        **{f"by_key.{kind}_rate": (57, {key: {kind: key} for of, key in risk.debts if of == kind}) for kind in ("strategy", "symbol")},
        "reference": (33, {venue << 2 | symbol: {"venue": venue, "symbol": symbol} for venue, symbol in reference.prices}),
        **{f"reference.bids_{venue}": (33, {symbol: {"symbol": symbol} for at, symbol in reference.bids if at == venue})
           for venue in range(VENUES)},
        "table": (174, {place(key): key for key, other in risk.open.orders.items() if risk.open.replaceable(about(key, other))}),
    }
    bits, found = rows[memory]
    if not found:
        return False
    row = rng.choice(list(found))
    order = about(found[row], risk.open.orders[found[row]]) if memory == "table" else probe(door, **found[row])
    door.doubt = True
    lose(door, memory, row, rng.randrange(bits))
    risk.fault = door.lost = True
    door.offer(order)
    door.drain()
    door.doubt = False
    door.limit(order.symbol, NO_OWN)
    forget_market(door)
    return True


def forget_market(door: SideBySide) -> None:
    """The books of all venues begin anew; and new rows, as one that has lost a bit is a fault again where a top comes while it is read."""
    for number in range(VENUES * SYMBOLS):
        hear(door, Touch(number % VENUES, number // VENUES, 1, 2))
    restart(door, set(range(VENUES)))


def about(key: tuple[int, int], other: OpenOrder) -> Order:
    """A REPLACE of it."""
    return other.order._replace(kind=REPLACE_ORDER, reference=key[1], pair=0, shares=1, price=1)


def lost_for_answer(door: SideBySide) -> bool:
    """The same, seen when an answer comes: of the order's own row, of the one that it replaces or is replaced by, of its symbol, of its
    strategy's executions. What the answer does is nonsense then, and not looked at."""
    rng, risk = door.rng, door.risk
    door.offer(probe(door)._replace(price=0))
    door.drain()
    cases = []
    for key, other in risk.open.orders.items():
        kind = REPLACED if other.waits else rng.choice([FILLED, ENDED])
        cases.append(("table", place(key), 174, key, kind))
        if other.waits:
            cases.append(("table", place((key[0], other.parent.user_ref)), 174, key, REPLACED))
        elif other.heir:
            cases.append(("table", place((key[0], other.heir.user_ref)), 174, key, ENDED))
        elif other.order.strategy in risk.executions.counts:
            cases.append(("executions", other.order.strategy, 17, key, FILLED))
        if kind == FILLED and door.last_symbol != other.order.symbol:
            cases.append(("exposure", other.order.symbol, 98, key, FILLED))
    if not cases:
        return False
    memory, row, bits, key, kind = rng.choice(cases)
    door.switch(replace(WIDE, max_executions=2**16 - 1))
    door.blind = True
    lose(door, memory, row, rng.randrange(bits))
    door.tell(answer := Answer(kind, *key, next_number(door, key[0]), 1))
    for _ in range(ANSWER):
        door.cycle()
    assert door.dut.bits("fault"), (door.now, memory, row, answer)
    door.said["failed"] += 1
    return False
