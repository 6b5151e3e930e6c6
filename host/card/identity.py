"""Is this the card that the host was made for?"""

from collections.abc import Mapping
from typing import NamedTuple

from host.card.definition import CardSizes
from host.card.protocol import Card, CardError
from host.card.registers import CARDS, MAGIC, REGISTERS, VERSION_MAJOR, VERSION_MINOR


class Identity(NamedTuple):
    """What a card says about itself, once it has been checked."""

    configuration: str
    """One of the named configurations."""
    sizes: CardSizes
    minor: int
    """Minor version of its register map: at least the host's."""


def identify(card: Card, expected: str | None = None, known: Mapping[str, CardSizes] = CARDS) -> Identity:
    """Checks magic, version and configuration of a card.

    Parameters
    ----------
    card : Card
    expected : str or None
        The configuration that it must be; None: any that the host knows.
    known : mapping of str to CardSizes
        The configurations that the host knows, by name.

    Raises
    ------
    CardError
        It is another card; nothing has been written to it.
    """
    if expected is not None and expected not in known:
        raise CardError(f"there is no configuration {expected!r}: the host knows {', '.join(known)}")

    magic = card.read32(REGISTERS["MAGIC"].address())
    if magic != MAGIC:
        hint = ": nothing answers there" if magic == 0xFFFFFFFF else ": this is not a Trapjaw card"
        raise CardError(f"the card should say {MAGIC:#010x}, not {magic:#010x}{hint}")

    version = REGISTERS["VERSION"].unpack(card.read32(REGISTERS["VERSION"].address()))
    major, minor = version["major"], version["minor"]
    if major != VERSION_MAJOR or minor < VERSION_MINOR:
        raise CardError(f"the card's register map is version {major}.{minor}, this host needs {VERSION_MAJOR}.{VERSION_MINOR}")

    low, high = card.read_words(REGISTERS["CONFIG_HASH"].address(), 2)
    found = low | high << 32
    name = next((name for name, sizes in known.items() if sizes.hash == found), None)
    if expected is not None and name != expected:
        what = f"is {name}" if name else f"has the unknown configuration {found:#018x}"
        raise CardError(f"the card should be {expected} ({known[expected].hash:#018x}), but {what}")
    if name is None:
        raise CardError(f"the card has the configuration {found:#018x}, which this host does not know ({', '.join(known)})")

    for size, value in known[name]._asdict().items():
        if size != "hash":
            shown = card.read32(REGISTERS[f"CONFIG_{size.upper()}"].address())
            if shown != value:
                raise CardError(f"the card says that it is {name}, but CONFIG_{size.upper()} is {shown}, not {value}")
    return Identity(name, known[name], minor)
