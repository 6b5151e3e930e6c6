"""Colours and layout of the report: report.css, and the rules that depend on numbers. Charts and page share the classes."""

from pathlib import Path

_COLOURS = 4


def style(tabs: int) -> str:
    """The whole style sheet, with rules for venues, symbols and this many tabs in a group."""
    rules = [Path(__file__).with_name("report.css").read_text(encoding="utf-8")]
    for number in range(8):
        colour = f"var(--venue{number % _COLOURS})"
        dashes = "" if number < _COLOURS else " stroke-dasharray: 5 3;"
        rules.append(f".chart .line.v{number}, .chart .line.s{number} {{ stroke: {colour};{dashes} }}")
        rules.append(f".chart .band.v{number}, .chart .fill.v{number} {{ fill: {colour}; }}")
        rules.append(f".legend i.v{number} {{ background: {colour}; }}")
    for number in range(1, tabs + 1):
        rules.append(f".tabs > input:nth-of-type({number}):checked ~ .panel:nth-of-type({number}) {{ display: block; }}")
    return "\n".join(rules)
