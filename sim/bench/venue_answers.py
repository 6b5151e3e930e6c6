"""Venues that answer orders at random, as they may, and now and then as they should not."""

from collections import deque

from host.card.replies import ENDED, FILLED, MOVED, NOTED, RELEASED, REPLACED, UNSENT
from sim.golden.open_orders import Answer
from sim.golden.records import CANCEL_ORDER, REPLACE_ORDER


class Venues:
    """What stands at the venues, told in the order in which it happens. Nothing that would be a fault of the card is told.

    Parameters
    ----------
    rng : random.Random
    """

    def __init__(self, rng):
        self._rng = rng
        self._live = {}  # (venue, UserRefNum): [shares left, shares traded]
        self.outbox = deque()
        self.numbers = {}  # of each venue's last answer

    def take(self, order, number):
        """An order comes in."""
        key = order.venue, order.reference
        if order.kind == CANCEL_ORDER:
            if key in self._live and self._live[key][0] > order.shares:
                self._tell(RELEASED, key, self._live[key][0] - order.shares)
        elif order.kind == REPLACE_ORDER:
            if key not in self._live:
                return  # ignored
            if self._rng.random() < 0.2:
                self.outbox.append((ENDED, order.venue, number, 0))
                return
            _, traded = self._live.pop(key)
            self.outbox.append((REPLACED, order.venue, number, 0))
            if order.shares > traded:
                self._live[order.venue, number] = [order.shares - traded, traded]
        else:
            self._live[order.venue, number] = [order.shares, 0]
            self.outbox.append((NOTED, order.venue, number, 0))

    def fill(self, key, shares):
        """So many of an order trade, which has them."""
        self._tell(FILLED, key, shares)

    def _tell(self, kind, key, shares):
        entry = self._live[key]
        entry[0] -= shares
        entry[1] += shares if kind == FILLED else 0
        if not entry[0]:
            del self._live[key]
        self.outbox.append((kind, *key, shares))

    def answer(self, *, quiet=False):
        """Something happens, mostly, unless it is to be quiet; what is told next, if anything."""
        rng = self._rng
        if self._live and rng.random() < 0.7 and not quiet:
            key = rng.choice(list(self._live))
            left = self._live[key][0]
            if rng.random() < 0.7:
                self._tell(FILLED, key, rng.choice([left, rng.randint(1, left)]))
            elif rng.random() < 0.8:
                self._tell(RELEASED, key, left)
            else:  # nonsense: more is dead than was there
                self._live.pop(key)
                self.outbox.append((RELEASED, *key, left + rng.randint(1, 500)))
        odd = 1 if quiet else rng.random()
        if odd < 0.03 and self.numbers:
            venue, number = rng.choice(list(self.numbers.items()))
            return Answer(rng.randrange(5), venue, rng.randrange(50), (number - rng.randrange(3)) % 2**32, rng.randint(1, 50))
        if odd < 0.06:
            return Answer(MOVED, symbol=200, shares=5)
        if odd < 0.08:
            return Answer(RELEASED, venue=9, user_ref=1, shares=5)
        if odd < 0.10 and self._live:
            key = rng.choice(list(self._live))
            if not any((kind, *place) for kind, *place, _ in self.outbox if tuple(place) == key):  # nothing of it is on its way
                del self._live[key]
                return Answer(UNSENT, *key, number=rng.getrandbits(32))
        if odd < 0.11:
            self.outbox.append((rng.choice([RELEASED, ENDED, REPLACED]), rng.randrange(2), rng.getrandbits(32), 7))
        if odd < 0.13 and self._live:  # not a REPLACE
            self.outbox.append((REPLACED, *rng.choice(list(self._live)), 7))
        if not self.outbox:
            return None
        kind, venue, user_ref, shares = self.outbox.popleft()
        number = self.numbers[venue] = self.numbers.get(venue, rng.choice([0, 1, 2**32 - 20, rng.getrandbits(32)])) + 1
        return Answer(kind, venue, user_ref, number % 2**32, shares)
