"""Colours and layout of the report. One set of variables for light, one for dark; charts use the same classes."""

STYLE = """
:root { color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --edge: #dfe3ea; --ink: #16202e; --quiet: #5d6b80; --grid: #e8ebf0;
  --venue0: #1f5fd6; --venue1: #c2570c; --venue2: #0d8a6a; --venue3: #8b3fc0;
  --buy: #0a8a4b; --sell: #cf2440; --warn: #b26a00; --good: #0a8a4b; --bad: #cf2440; --gain: #d9a400; --bar: #4a6fa5; --second: #9cb8e0; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0d1218; --card: #151c25; --edge: #27313e; --ink: #e6ebf2; --quiet: #8e9bad; --grid: #212a36;
  --venue0: #6aa5ff; --venue1: #ff9d5c; --venue2: #4ed3a8; --venue3: #c99bff;
  --buy: #3ddc84; --sell: #ff6b81; --warn: #f2b035; --good: #3ddc84; --bad: #ff6b81; --gain: #f2c230; --bar: #6f9be0; --second: #37507a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
header { display: flex; align-items: baseline; gap: 14px; flex-wrap: wrap; margin-bottom: 4px; }
h1 { font-size: 24px; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 16px; margin: 0 0 4px; }
h3 { font-size: 13px; margin: 14px 0 2px; font-weight: 600; }
p { margin: 4px 0 10px; } .quiet, .quiet td { color: var(--quiet); } .lead { color: var(--quiet); margin-bottom: 18px; }
.badge { border-radius: 999px; padding: 2px 12px; font-size: 12px; font-weight: 700; letter-spacing: .04em; color: var(--card); }
.badge.good { background: var(--good); } .badge.bad { background: var(--bad); }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 16px 20px; margin: 14px 0; overflow-x: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 12px; margin: 14px 0; }
.tile { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 22px; font-weight: 650; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tile span { color: var(--quiet); font-size: 12px; } .tile i { display: block; font-style: normal; color: var(--quiet); font-size: 12px; min-height: 18px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 8px 24px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th { color: var(--quiet); font-weight: 500; font-size: 12px; } th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.wrap { white-space: normal; text-align: left; } tr:last-child td { border-bottom: 0; }
.ok { color: var(--good); font-weight: 600; } .wrong { color: var(--bad); font-weight: 700; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 12px; color: var(--quiet); margin: 2px 0 6px; }
.legend i { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin-right: 6px; }
.legend svg { width: 14px; height: 12px; vertical-align: -1px; margin-right: 5px; }
ul { margin: 4px 0; padding-left: 18px; } li { margin: 2px 0; }
.tabs > input { position: absolute; opacity: 0; } .tabs > label { display: inline-block; padding: 3px 14px; margin: 4px 4px 10px 0;
  border: 1px solid var(--edge); border-radius: 999px; cursor: pointer; font-size: 13px; color: var(--quiet); }
.tabs > input:checked + label { background: var(--ink); border-color: var(--ink); color: var(--card); }
.tabs > input:focus-visible + label { outline: 2px solid var(--venue0); } .tabs > .panel { display: none; }
svg.chart { display: block; width: 100%; height: auto; }
.chart text { font: 11px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
.chart text.quiet { fill: var(--quiet); } .chart text.strong { font-weight: 600; }
.chart .grid { stroke: var(--grid); } .chart .axis { stroke: var(--quiet); stroke-width: .8; } .chart .mark { stroke: var(--ink); stroke-dasharray: 3 3; stroke-width: .8; }
.chart .limit { stroke: var(--bad); stroke-dasharray: 6 4; stroke-width: 1; }
.chart .line { fill: none; stroke-width: 1.3; stroke-linejoin: round; } .chart .band { opacity: .13; }
.chart .leg1 { fill: var(--bar); } .chart .leg2 { fill: var(--second); } .chart .none { fill: var(--grid); }
.chart .sent { fill: var(--bar); } .chart .rejects { fill: var(--warn); } .chart .drops { fill: var(--bad); } .chart .edge { fill: var(--gain); }
.chart .order { stroke: var(--card); stroke-width: .8; } .chart .order.buy { fill: var(--buy); } .chart .order.sell { fill: var(--sell); }
.chart .order.empty { fill: var(--card); stroke-width: 1.3; } .chart .order.empty.buy { stroke: var(--buy); } .chart .order.empty.sell { stroke: var(--sell); }
.chart .refused { stroke: var(--quiet); fill: none; stroke-width: 1.2; opacity: .8; }
.box { fill: var(--card); stroke: var(--edge); }
footer { color: var(--quiet); font-size: 12px; margin-top: 20px; }
@media print { body { background: #fff; } section, .tile { break-inside: avoid; } }
"""

_COLOURS = 4


def style(tabs: int) -> str:
    """The whole style sheet, with rules for venues, symbols and this many tabs in a group."""
    rules = [STYLE]
    for number in range(8):
        colour = f"var(--venue{number % _COLOURS})"
        dashes = "" if number < _COLOURS else " stroke-dasharray: 5 3;"
        rules.append(f".chart .line.v{number}, .chart .line.s{number} {{ stroke: {colour};{dashes} }}")
        rules.append(f".chart .band.v{number}, .chart .fill.v{number}{{ fill: {colour}; }}")
        rules.append(f".legend i.v{number} {{ background: {colour}; }}")
    rules += [f".tabs > input:nth-of-type({number}):checked ~ .panel:nth-of-type({number}) {{ display: block; }}" for number in range(1, tabs + 1)]
    return "\n".join(rules)
