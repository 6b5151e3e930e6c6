"""Values as the bytes of a protocol: the first byte on the wire in the lowest bits."""

from amaranth.hdl import Cat, Const, Mux, Value


def big_endian(value) -> Value:
    """The bytes of a number, the most significant first."""
    value = Value.cast(value)
    if len(value) % 8:
        raise ValueError(f"a number of whole bytes is needed, not of {len(value)} bits")
    return Cat(value[index:index + 8] for index in reversed(range(0, len(value), 8)))


def characters(text: str) -> Value:
    """ASCII text, its first character first."""
    return Const(int.from_bytes(text.encode("ascii"), "little"), 8 * len(text))


def hexadecimal(value) -> Value:
    """ASCII hex digits of a number, upper case, the highest digit first."""
    value = Value.cast(value)
    digits = [value[index:index + 4] for index in reversed(range(0, len(value), 4))]
    return Cat((digit + Mux(digit < 10, characters("0"), ord("A") - 10))[:8] for digit in digits)
