"""Which symbols are followed, and in which slot of the card."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sim.readers.protocols import Key
from sim.replay.errors import ReplayError
from sim.replay.survey import Survey

TOP = "top:"


@dataclass(frozen=True)
class Selection:
    """The symbols of a replay.

    Attributes
    ----------
    names : tuple of str
        Name of each slot.
    slots : tuple of dict
        For each venue: slot by the key that its messages name the symbol by.
    """

    names: tuple[str, ...]
    slots: tuple[dict[Key, int], ...]


def select(surveys: Sequence[Survey], wanted: str | None) -> Selection:
    """Resolves ``--symbols``: names with commas between them, ``top:N`` for the N most active, None for all with book activity."""
    names = _names(surveys, wanted)
    slots: list[dict[Key, int]] = []
    for survey in surveys:
        found = ((survey.key_of(name), slot) for slot, name in enumerate(names))
        slots.append({key: slot for key, slot in found if key is not None})
    return Selection(tuple(names), tuple(slots))


def _names(surveys: Sequence[Survey], wanted: str | None) -> list[str]:
    activity: Counter[str] = Counter()
    for survey in surveys:
        for key, count in survey.activity.items():
            activity[survey.name_of(key)] += count
    if wanted is None:
        if not activity:
            raise ReplayError("no symbol has book activity; choose with --symbols to replay all the same")
        return list(activity)
    if wanted.startswith(TOP):
        number = wanted[len(TOP):]
        if not number.isdecimal() or not int(number):
            raise ReplayError(f"--symbols {TOP}N wants a number from 1, not {number!r}")
        if int(number) > len(activity):
            raise ReplayError(f"--symbols {wanted}: only {len(activity)} symbols have book activity")
        # the most active first; among equals the one seen first
        return [name for name, _ in activity.most_common(int(number))]
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",")))
    for name in names:
        if all(survey.key_of(name) is None for survey in surveys):
            known = len({known for survey in surveys for known in survey.names})
            raise ReplayError(f"unknown symbol {name!r}: none of the {known} in the directory")
    return names
