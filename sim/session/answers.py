"""Tells a card what its venues answer, and counts the answers as it wants them counted."""

from host.card.replies import Replies


class Answers:
    """Numbers each venue's answers without a gap, from 1.

    Parameters
    ----------
    replies : Replies
        Of the card's control.
    venues : int
    """

    def __init__(self, replies: Replies, venues: int):
        self._replies, self._numbers = replies, [0] * venues

    def tell(self, venue: int, user_ref: int, kind: int, shares: int = 0) -> None:
        self._numbers[venue] += 1
        self._replies.tell(venue=venue, user_ref=user_ref, kind=kind, shares=shares, number=self._numbers[venue])
