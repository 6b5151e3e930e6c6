"""The venues' side of an order: whether it trades, and when they say so."""

import heapq
import random
from typing import NamedTuple

from sim.session.settings import SessionSettings


class Reply(NamedTuple):
    """What a venue answers to an order."""

    due: int
    """Card cycle from which on it may be told to the card."""
    number: int
    """Of the order in the session, from 0."""
    venue: int
    user_ref: int
    symbol: int
    side: int
    filled: int
    """Shares that traded; the rest of an immediate-or-cancel order is dead."""
    released: int


class Venues:
    """Answers every order once. The outcome of an order depends on seed, venue and UserRefNum alone, not on what else happens."""

    def __init__(self, settings: SessionSettings):
        self._settings = settings
        self._waiting: list[Reply] = []

    def order(self, number: int, *, cycle: int, venue: int, user_ref: int, symbol: int, side: int, shares: int) -> None:
        chance = random.Random(f"trapjaw venue {self._settings.seed} {venue} {user_ref}")
        draw = chance.random()
        if draw < self._settings.full_chance:
            filled = shares
        elif draw < self._settings.full_chance + self._settings.part_chance and shares > 1:
            filled = chance.randrange(1, shares)
        else:
            filled = 0
        due = cycle + round(chance.expovariate(1 / self._settings.reply_delay))
        heapq.heappush(self._waiting, Reply(due, number, venue, user_ref, symbol, side, filled, shares - filled))

    def due(self, cycle: int) -> list[Reply]:
        """Answers that have come by this cycle."""
        replies = []
        while self._waiting and self._waiting[0].due <= cycle:
            replies.append(heapq.heappop(self._waiting))
        return replies

    @property
    def waiting(self) -> int:
        return len(self._waiting)
