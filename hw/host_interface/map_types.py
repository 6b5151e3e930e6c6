"""What the register map is made of: registers, arrays of them, fields."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product

from hw.config import CardConfig


class Access(Enum):
    """Direction of a register, as the host sees it."""

    RO = "ro"
    RW = "rw"
    WO = "wo"


@dataclass(frozen=True)
class Dimension:
    """One index of a register array.

    Attributes
    ----------
    name : str
        "venue", "symbol" or "word" (32 symbols a word).
    maximum : int
        Elements that the map has room for.
    stride : int
        Bytes from one element to the next.
    """

    name: str
    maximum: int
    stride: int

    def size(self, config: CardConfig) -> int:
        """Elements that a configuration has."""
        return {"venue": config.venues, "symbol": config.symbols, "word": -(-config.symbols // 32)}[self.name]


@dataclass(frozen=True)
class Field:
    """Some bits of a register, or of an event record (there ``lsb`` counts from bit 0 of word 0)."""

    name: str
    lsb: int
    width: int
    doc: str


@dataclass(frozen=True)
class Register:
    """One register or array of registers.

    Attributes
    ----------
    name : str
    offset : int
        Byte offset of the (first) low word.
    access : Access
    doc : str
        Meaning and unit.
    bits : int
        Width, 1 to 64; more than 32 take two words. Bits above it read 0 and ignore writes.
    signed : bool
        Two's complement, sign extended to 64 bits when read.
    dimensions : tuple of Dimension
        Empty for a single register.
    fields : tuple of Field
        Empty where the register is one number.
    live : bool
        Of an RW register: reads return what the card has rather than what was written last.
    """

    name: str
    offset: int
    access: Access
    doc: str
    bits: int = 32
    signed: bool = False
    dimensions: tuple[Dimension, ...] = ()
    fields: tuple[Field, ...] = ()
    live: bool = False

    @property
    def words(self) -> int:
        return 1 if self.bits <= 32 else 2

    def elements(self, config: CardConfig) -> Iterator[tuple[tuple[int, ...], int]]:
        """Every (index, offset) that a configuration has; the index of a single register is ()."""
        for index in product(*(range(dimension.size(config)) for dimension in self.dimensions)):
            yield index, self.offset + sum(i * d.stride for i, d in zip(index, self.dimensions, strict=True))


def member_docs(enumeration: type[Enum]) -> dict[str, str]:
    """The docstrings that stand below the members of an enumeration, by name."""
    (definition,) = ast.parse(inspect.getsource(enumeration)).body
    return {
        member.targets[0].id: inspect.cleandoc(doc.value.value).replace("\n", " ")
        for member, doc in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(member, ast.Assign) and isinstance(doc, ast.Expr)
    }
