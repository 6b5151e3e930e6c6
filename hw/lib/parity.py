"""One bit more for each field of a record, that tells when one of its bits has changed."""

from amaranth.hdl import Cat, Value
from amaranth.lib.data import Layout


def field_parity(record):
    """One bit for each field of a struct, the first field's in bit 0: odd number of ones."""
    return Cat(Value.cast(record[name]).xor() for name, _ in Layout.cast(record.shape()))
