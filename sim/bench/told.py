"""What the card tells, as the scoreboard compares it."""

from sim.golden.records import Order


def told_of(order: Order) -> dict[str, int]:
    """What an event record has of an order."""
    fields = order._asdict()
    return {name: fields[name] for name in fields if name not in ("kind", "reference", "pair", "day")} | {"order_kind": order.kind}


def tb_bits(value: int, count: int) -> set[int]:
    """The numbers of the bits that are set."""
    return {number for number in range(count) if value >> number & 1}
