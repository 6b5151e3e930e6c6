"""Why nobody can see some of the mutants: what they change can't be told from outside, or only after more cycles than a campaign has.

A mutant is explained by a part of a source line that it comes from (or of its cell, if yosys made it from no line) and by what it does.
Whoever changes the gateway so that a line means something else has to look here too; an entry that no mutant needs may go.
"""

import re
from typing import NamedTuple

from sim.verilated.mutants import Mutant


class Explained(NamedTuple):
    where: str
    """File and text of the line, or a part of it; or a part of the cell's name."""
    change: str
    """Regular expression for what the mutant does there, as ``Mutant.change`` names it."""
    why: str


EXPLAINED = (
    Explained("hw/risk/reference.py: new, good, venue, symbol", r"-mode const0 .* -wire component\.reference\.\$like -wirebit [123]$",
              "tops come of venues that the card has"),
    Explained("hw/risk/answers.py: self._stands, self._waits = Signal(), Signal()", r"-mode const0 .*_CMP0 -port A -portbit 3$",
              "no state differs from LOOK in that bit of its number alone"),
)


def explanation(mutant: Mutant) -> str:
    """"" if there is none."""
    return next((entry.why for entry in EXPLAINED if any(entry.where in place for place in (mutant.change, *mutant.lines))
                 and re.search(entry.change, mutant.change)), "")
