"""A small session for the report's tests, by hand."""

from sim.report.record import BUY, SELL, Check, PositionStep, Quote, RejectedOrder, SentOrder, SessionRecord, Signal, VenueRecord

START = 34_200_000_000_000


def order(number, *, leg, venue, side, price, from_end, filled=100, time=START + 20_000):
    return SentOrder(
        time=time, cycle=1_000 + number, venue=venue, symbol=0, side=side, shares=100, price=price, user_ref=number, trigger_venue=0,
        trigger_sequence=9, trigger="A", quiet=True, leg=leg, from_end=from_end, from_start=from_end + 4, filled=filled,
    )


def example() -> SessionRecord:
    """Two venues, one of which rises first; three orders, two refusals."""
    return SessionRecord(
        title="Trading session <example>", card="tiny", configuration="0796a74849de6278", clock_hz=156_250_000,
        settings={"Largest order": "500 shares"},
        venues=[VenueRecord("north", "generated & seeded", True, 6, 5), VenueRecord("south", "generated", True, 4, 4)],
        symbols=["ANTS", "BEES"], position_limit=1_000, market_start=START, market_end=START + 90_000,
        message_times=[[START, START + 10_000, START + 20_000], [START + 5_000, START + 90_000]], cycles=20_000, seconds=0.5,
        sent=[
            order(1, leg=1, venue=1, side=BUY, price=10_0100, from_end=20),
            order(2, leg=2, venue=0, side=SELL, price=10_0300, from_end=34, filled=0),
            order(3, leg=1, venue=1, side=BUY, price=10_0200, from_end=26, filled=40, time=START + 30_000),
        ],
        rejected=[
            RejectedOrder(START + 30_000, 0, 0, SELL, 100, 10_0300, "RATE"),
            RejectedOrder(START + 31_000, 0, 0, SELL, 900, 10_0300, "MAX_SHARES"),
        ],
        quotes=[
            Quote(START + 1_000, 0, 0, 9_9900, 10_0100),
            Quote(START + 2_000, 1, 0, 10_0000, 10_0100),
            Quote(START + 20_000, 0, 0, 10_0300, 10_0500),
            Quote(START + 50_000, 1, 0, 10_0300, 10_0400),
        ],
        signals=[Signal(0, 1, 0, 100, 2_0000)],
        positions=[PositionStep(START + 25_000, 0, 100), PositionStep(START + 35_000, 0, 140)],
        drops={"MAC_ERROR": 2, "OVERFLOW": 0}, reject_reasons=["HALTED", "MAX_SHARES", "POSITION", "RATE"],
        checks=[Check("orders on the wire", 3, 3), Check("position of ANTS", 140, 140)],
        notes=["One & only."],
    )
