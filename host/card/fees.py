"""What a venue charges, and how the card is told."""

from fractions import Fraction
from math import ceil
from typing import NamedTuple

SHARE_FEE = 1 << 8
"""The card's units of a fee per share in 1/10000 of the currency unit."""

FEE_RATE = Fraction(1 << 22, 10_000)
"""The card's units of a rate in a basis point."""


class Fee(NamedTuple):
    """Of one share at a price; a rebate is negative."""

    per_share: Fraction | int = 0
    """In 1/10000 of the currency unit."""
    basis_points: Fraction | int = 0
    """Of the price."""

    def registers(self) -> tuple[int, int]:
        """ARB_SHARE_FEE and ARB_FEE_RATE; what lies between two units is charged as the higher.

        Raises
        ------
        ValueError
            More than the card can charge.
        """
        share_fee, rate = ceil(Fraction(self.per_share) * SHARE_FEE), ceil(Fraction(self.basis_points) * FEE_RATE)
        if not -(1 << 23) <= share_fee < 1 << 23:
            raise ValueError(f"a fee per share is -32768 to 32767 in 1/10000, not {self.per_share}")
        if not -(1 << 17) <= rate < 1 << 17:
            raise ValueError(f"a fee is -312.5 to 312.49 basis points, not {self.basis_points}")
        return share_fee % (1 << 24), rate % (1 << 18)


class VenueFees(NamedTuple):
    """Fees of a venue.

    The card's arbitrage pays ``taker``: both its orders trade at once or not at all. ``maker`` is for who lets an order rest in the
    book; nothing on the card charges it.
    """

    taker: Fee = Fee()
    maker: Fee = Fee()
