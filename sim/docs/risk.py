"""docs/risk.md: the template's text with the table of reasons, made from the enumeration that RTL, models and host use."""

from hw.host_interface.map_types import member_docs
from hw.reasons import PRIORITY, RULES, WAIVABLE, LimitRefusal, RejectReason
from sim.docs.stages import ROOT

TEMPLATE = ROOT / "sim" / "docs" / "risk.template.md"


def risk_page() -> str:
    """The page."""
    return TEMPLATE.read_text(encoding="utf-8").replace("{{reasons}}", reasons_table()).replace("{{refusals}}", refusals_table())


def refusals_table() -> str:
    """One row a bit of LIMITS_STATUS."""
    docs = member_docs(LimitRefusal)
    rows = (f"| {refusal.name} | {refusal.value} | {docs[refusal.name]} |" for refusal in LimitRefusal)
    return "\n".join(["| refusal | bit | because |", "|---|---:|---|", *rows])


def reasons_table() -> str:
    """One row a reason, in the order in which they are told."""
    docs = member_docs(RejectReason)
    rows = ["| reason | code | refused because | waivable | serves |", "|---|---:|---|---|---|"]
    for reason in PRIORITY:
        waivable = "yes" if reason in WAIVABLE else ""
        rows.append(f"| {reason.name} | {reason.value} | {docs[reason.name]} | {waivable} | {RULES[reason]} |")
    return "\n".join(rows)
