"""What every card can do, whether it is a board or simulated: everything else of the host is written against this."""

from typing import Protocol

from host.card.registers import BAR_SIZE


class CardError(Exception):
    """The card can't be reached, is another one than was expected, or refused; the message is one clear line."""


class Card(Protocol):
    """A window of ``BAR_SIZE`` bytes that is accessed in aligned words of 32 bits.

    Every word read or written is exactly one access on the card's bus, in the order of the calls: reading may latch and writing may act.
    """

    def read32(self, offset: int) -> int:
        """One load."""

    def write32(self, offset: int, value: int) -> None:
        """One store."""

    def read_words(self, offset: int, count: int) -> list[int]:
        """``count`` loads at ascending offsets; in one call, so that a back end may batch them."""

    def close(self) -> None:
        """Lets go of the card; any later access is a ``CardError``. Closing twice is fine."""


def check_words(offset: int, count: int = 1) -> None:
    """Raises ValueError unless ``count`` aligned words lie within the window from ``offset`` on."""
    if offset % 4:
        raise ValueError(f"register offset {offset:#x} is not a multiple of 4")
    if count < 0 or not 0 <= offset <= BAR_SIZE - 4 * count:
        raise ValueError(f"{count} word(s) at offset {offset:#x} are not within the card's window of {BAR_SIZE:#x} bytes")


def check_value(value: int) -> None:
    """Raises ValueError unless the value is an unsigned word."""
    if not 0 <= value < 1 << 32:
        raise ValueError(f"value {value:#x} does not fit a register word (0 to 0xffffffff)")
