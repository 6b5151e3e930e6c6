"""The fields of registers as Amaranth values."""

from hw.host_interface import registers


def parts(value, register):
    """(name, bits) of each field of a register's value."""
    (definition,) = (entry for entry in registers.REGISTERS if entry.name == register)
    return [(field.name, value[field.lsb:field.lsb + field.width]) for field in definition.fields]
