"""What happens now and then in a campaign while nothing else moves; afterwards it goes on as before."""

from sim.golden.open_orders import MOVED, NOTED, RELEASED, Answer
from sim.golden.records import CANCEL_ORDER, Order
from tests.hw.risk.campaign_edges import WIDE, edges
from tests.hw.risk.side_by_side import SYMBOLS, VENUES, SideBySide

QUEUE = 16
"""Answers that may come in a burst."""

ANSWER = 20
"""Cycles after which an answer has been applied and is settled."""


def compare(door: SideBySide) -> None:
    door.compare()


def cancel_all(door: SideBySide) -> None:
    """Each open order that the host's switch or a stop concerns is asked for once; its CANCEL goes through the door like any other."""
    risk, dut, rng = door.risk, door.dut, door.rng
    venues, now, expired = rng.getrandbits(VENUES), rng.random() < 0.5, door.silent
    if rng.random() < 0.3:
        disconnect(door, rng.getrandbits(VENUES))
    if risk.open.orders and not risk.fault:
        (venue, _), other = rng.choice(list(risk.open.orders.items()))
        door.switch(WIDE, **rng.choice([
            {"strategies": {other.order.strategy}}, {"symbols": {other.order.symbol}}, {"venues": {venue}}, {"unreachable": {venue}}, {}]))
    wanted = sorted(
        key for key, other in risk.open.orders.items() if not other.cancelled and stopped(door, key[0], other.order, venues, now))
    dark = rng.choice(wanted) if wanted and rng.random() < 0.3 else None  # its row has lost a bit
    if dark:
        door.dut.set(orders__payload={})
        lose(door, "table", place(dark), bit := rng.randrange(174))
        wanted.remove(dark)
    dut.set(**{"cancel_all" if now else "cancel_on_stop": venues})
    asked = asked_for(door)
    dut.set(cancel_all=0, cancel_on_stop=0, cancels__ready=0)
    if dark:
        lose(door, "table", place(dark), bit)  # and has it again
    if door.silent == expired:
        assert sorted(asked) == wanted, (door.now, asked, wanted, dark)
        door.said["cancelled"] += len(asked)


def asked_for(door: SideBySide) -> list[tuple[int, int]]:
    """Venue and number of the orders that the gateway itself wants cancelled, until it has wanted no more for some time."""
    dut, orders, asked, idle, held = door.dut, door.risk.open.orders, [], 0, None
    while idle < 100:
        ready = door.answered
        dut.set(cancels__ready=ready)
        door.cycle()
        idle += 1
        shown = dut.bits("cancels__payload") if dut.bits("cancels__valid") else None
        assert held in (None, shown), door.now
        held = None if ready else shown
        if ready and shown is not None:
            fields = dut.get("cancels__payload")._asdict()
            assert fields.pop("ingress") == 0
            order, idle = Order(**fields), 0
            asked.append((order.venue, order.reference))
            assert len(asked) <= len(orders), (door.now, asked)
            about = orders[asked[-1]].order
            assert order == Order(4, about.venue, about.symbol, about.side, 0, 0, kind=CANCEL_ORDER, reference=order.reference), order
            door.offer(order)
    return asked


def stopped(door: SideBySide, venue: int, order: Order, venues: int, now: bool) -> bool:
    risk = door.risk
    stop = risk.kill or risk.fault or door.silent or venue in risk.killed_venues or order.symbol in risk.killed_symbols
    stop |= order.strategy in risk.killed_strategies | risk.executions.tripped
    return bool(venues >> venue & 1 and venue not in risk.unreachable and (now or stop))


def disconnect(door: SideBySide, venues: int) -> None:
    """No CANCEL is under way there any more."""
    door.dut.set(disconnected=venues)
    door.cycle()
    door.dut.set(disconnected=0)
    for (venue, _), other in door.risk.open.orders.items():
        other.cancelled &= not venues >> venue & 1


def odd_answers(door: SideBySide) -> None:
    """As many as find room; a position moved by hand; kinds that there are not."""
    rng = door.rng
    for _ in range(QUEUE):
        door.tell(Answer(rng.choice([RELEASED, RELEASED, 7]), 9, shares=5))
    door.drain()
    door.tell(Answer(MOVED, symbol=rng.randrange(SYMBOLS), side=rng.randrange(2), shares=rng.randrange(300)))
    door.drain()
    if door.risk.open.orders:
        key = rng.choice(list(door.risk.open.orders))
        door.tell(Answer(7, *key, number=next_number(door, key[0]), shares=1))
        door.tell(Answer(NOTED, key[0], rng.getrandbits(32), next_number(door, key[0], 1), 1))
    door.drain()


def next_number(door: SideBySide, venue: int, more: int = 0) -> int:
    """Of the venue's next answer, that so many more come before."""
    number = door.venues.numbers[venue] = (door.risk.open.expected.get(venue, 0) + more) % 2**32
    return number


def lose(door: SideBySide, memory: str, row: int, bit: int) -> None:
    """A row of a memory loses a bit."""
    door.losing = door.memories.index(memory) + 1, row, bit
    door.cycle()


def place(key: tuple[int, int]) -> int:
    """Where an order stands in the table."""
    venue, number = key
    return venue << 2 | number & 3


SCENES = [compare, cancel_all, cancel_all, odd_answers, edges, edges]
