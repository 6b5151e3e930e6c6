"""What an entry of the generated register map looks like to the host."""

from typing import NamedTuple


class UnknownRegisterError(LookupError):
    """A name or an index that the register map does not have."""


class Field(NamedTuple):
    """Some bits of a register, or of an event record (there ``lsb`` counts from bit 0 of word 0)."""

    name: str
    lsb: int
    width: int

    def take(self, value: int) -> int:
        """The field's part of a value."""
        return value >> self.lsb & (1 << self.width) - 1


class Dimension(NamedTuple):
    """One index of a register array; the map has room for ``maximum`` elements."""

    name: str
    maximum: int
    stride: int


class Register(NamedTuple):
    """One register or array; ``access`` is "ro", "rw" or "wo". More than 32 bits are two words, the low one first."""

    name: str
    offset: int
    access: str
    bits: int = 32
    signed: bool = False
    dimensions: tuple[Dimension, ...] = ()
    fields: tuple[Field, ...] = ()

    def address(self, *index: int) -> int:
        """Byte offset of one element; the index of a single register is empty."""
        if len(index) != len(self.dimensions):
            names = ", ".join(dimension.name for dimension in self.dimensions) or "no index"
            raise UnknownRegisterError(f"register {self.name} takes {names}, not {index}")
        for i, dimension in zip(index, self.dimensions, strict=True):
            if not 0 <= i < dimension.maximum:
                raise UnknownRegisterError(f"register {self.name}: {dimension.name} must be 0 to {dimension.maximum - 1}, not {i}")
        return self.offset + sum(i * dimension.stride for i, dimension in zip(index, self.dimensions, strict=True))

    def pack(self, **values: int) -> int:
        """A value made of its fields, every one of which must fit; fields that are not given are 0."""
        value = 0
        for name, part in values.items():
            field = next((field for field in self.fields if field.name == name), None)
            if field is None:
                raise UnknownRegisterError(f"register {self.name} has no field {name!r}")
            if not 0 <= part < 1 << field.width:
                raise ValueError(f"register {self.name}: {name} must be 0 to {(1 << field.width) - 1}, not {part}")
            value |= part << field.lsb
        return value

    def unpack(self, value: int) -> dict[str, int]:
        """All fields of a value by name."""
        return {field.name: field.take(value) for field in self.fields}


class Counter(NamedTuple):
    """One 64-bit counter, or one per venue."""

    name: str
    offset: int
    venue_stride: int
    """0: not per venue."""


class CardSizes(NamedTuple):
    """A named configuration: what its card says about itself."""

    hash: int
    venues: int
    symbols: int
    orders: int
    levels: int
    backlog: int
    events: int
    clock_hz: int
    price_bits: int
