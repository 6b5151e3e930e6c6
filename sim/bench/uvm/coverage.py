"""Functional coverage: which situations a run has met, as a table and as JSON."""

import json
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hw.reasons import DropReason, RejectReason, StaleReason
from sim.golden.itch50 import BOOK_TYPES

LANES = range(8)

BOOK_SITUATIONS = (
    "first order of a side", "joins the best level", "new best level", "behind the best level", "best level shrinks", "best level empties",
    "last order of a side goes", "behind the best level changes", "replaced within the best level", "unknown reference",
    "crossed in itself",
)

GAP_KINDS = (
    "one message", "several messages", "revealed by a heartbeat", "packet seen before", "packet seen in part", "heartbeat",
    "end of session",
)


class Coverage:
    """Bins in groups, declared beforehand: what was never met shows as zero.

    Attributes
    ----------
    hits : dict of group to dict of bin to int
    """

    def __init__(self):
        orders = [f"{who} {side}" for who in ("host", "detector") for side in ("buys", "sells")]
        self.hits = {
            "message kind on byte lane": dict.fromkeys([f"{kind} on {lane}" for kind in (*BOOK_TYPES, "other") for lane in LANES], 0),
            "fate of a frame": dict.fromkeys([reason.name for reason in DropReason], 0),
            "answer of the gateway": dict.fromkeys([reason.name for reason in RejectReason], 0),
            "why a venue went stale": dict.fromkeys([reason.name for reason in StaleReason if reason], 0),
            "sequence numbers": dict.fromkeys(GAP_KINDS, 0),
            "book": dict.fromkeys(BOOK_SITUATIONS, 0),
            "order sent": dict.fromkeys(orders, 0),
            "register written": dict.fromkeys(
                ["ARM", "KILL", "LIMITS_COMMIT", "RESYNC", "CLEAR_POSITIONS", "HOST_ORDER_DOORBELL", "REPLY_DOORBELL", "ARB_ENABLE"], 0),
        }

    def hit(self, group: str, name: str) -> None:
        """Counts one; a bin that was not declared is an error."""
        self.hits[group][name] += 1

    def met(self, group: str) -> tuple[int, int]:
        """Bins met and bins there are."""
        bins = self.hits[group]
        return sum(count > 0 for count in bins.values()), len(bins)

    @property
    def share(self) -> float:
        met = [self.met(group) for group in self.hits]
        return sum(one for one, _ in met) / sum(all_ for _, all_ in met)

    def report(self) -> str:
        """The table of the groups, with what was never met."""
        table = Table(title="Functional coverage of the card")
        for column in ("group", "met", "never met"):
            table.add_column(column)
        for group, bins in self.hits.items():
            met, there = self.met(group)
            table.add_row(group, f"{met} of {there}", ", ".join(name for name, count in bins.items() if not count))
        table.add_row("all", f"{self.share:.1%}", "")
        text = StringIO()
        Console(width=140, file=text).print(table)
        return text.getvalue()

    def write(self, path: Path) -> None:
        path.write_text(json.dumps({"share": round(self.share, 4), "hits": self.hits}, indent=1) + "\n", encoding="utf-8")
