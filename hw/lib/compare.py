"""A comparison made of a carry chain."""


def exceeds(value, limit):
    """``value > limit`` as the sign of a subtraction: a carry chain, which here is faster than a comparison made of LUTs.

    Of at most 63 bits: of more, Verilator 5 takes the sign together with an inverted bit for wider than a bit, and gets it wrong.
    """
    return (limit - value)[-1]
