"""Choosing among several values by conditions."""

from functools import reduce
from operator import or_

from amaranth.hdl import Const, Mux, Value


def any_of(choices):
    """The value whose condition holds (at most one does), or zero."""
    return reduce(or_, (Mux(condition, Value.cast(value), 0) for condition, value in choices), Const(0))


def lowest(matches):
    """Whether one of the conditions holds, and the number of the first that does, as a tree; the number has 8 bits, or more if it must."""
    bits = max(8, (len(matches) - 1).bit_length())

    def choose(candidates):
        if len(candidates) == 1:
            return candidates[0]
        half = len(candidates) // 2
        (found, number), (other_found, other_number) = choose(candidates[:half]), choose(candidates[half:])
        return found | other_found, Mux(found, number, other_number)

    return choose([(match, Const(index, bits)) for index, match in enumerate(matches)])
