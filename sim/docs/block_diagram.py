"""docs/block_diagram.svg: the trade path from wire to wire with the cycles of each stage."""

from itertools import accumulate, groupby

from sim.docs.stages import Stage
from sim.report.svg import element, text

BOX, GAP, HEIGHT = 104, 18, 74
LEFT, TOP = 74, 92
RULER = 250
HOST = 318

STYLE = """
svg { --page: #ffffff; --box: #f2f5fa; --edge: #9aa8bb; --ink: #16202e; --quiet: #5d6b80; --wire: #1f5fd6; --group: #f8fafc;
      --line: #d5dce6; --even: #4a6fa5; --odd: #7f9cc6; --door: #c2570c; }
@media (prefers-color-scheme: dark) { svg { --page: #0d1218; --box: #1b2430; --edge: #56657a; --ink: #e6ebf2; --quiet: #93a0b3;
      --wire: #6aa5ff; --group: #131a22; --line: #27313e; --even: #3f6db3; --odd: #2f4a73; --door: #ff9d5c; } }
text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
text.quiet { fill: var(--quiet); font-size: 11px; } text.name { font-weight: 600; } text.title { font-size: 16px; font-weight: 650; }
text.cycles { font-size: 11px; fill: var(--quiet); } text.on { fill: #ffffff; font-weight: 600; font-size: 11px; }
.page { fill: var(--page); } .box { fill: var(--box); stroke: var(--edge); }
.behind { fill: var(--box); stroke: var(--edge); opacity: .55; }
.door { stroke: var(--door); stroke-width: 2; } .group { fill: var(--group); stroke: var(--line); stroke-dasharray: 4 3; }
.wire { stroke: var(--wire); stroke-width: 1.8; fill: none; marker-end: url(#head); }
.bus { stroke: var(--edge); fill: none; marker-end: url(#grey); }
.head { fill: var(--wire); } .grey { fill: var(--edge); } .even { fill: var(--even); } .odd { fill: var(--odd); }
"""


def block_diagram(stages: list[Stage], wait: int) -> str:
    """The whole drawing as SVG text. ``wait`` : cycles until the frame's verdict, see :func:`sim.docs.stages.verdict_wait`."""
    width = LEFT * 2 + len(stages) * (BOX + GAP) - GAP
    total = sum(stage.latency for stage in stages) + wait
    parts = [
        element("style", STYLE),
        element("defs", _marker("head"), _marker("grey")),
        element("rect", width=width, height=HOST + 88, class_="page"),
        text(LEFT - 50, 34, "Trapjaw: from the wire to the wire", class_="title"),
        text(LEFT - 50, 54, f"{total} cycles from an Add's last byte to the first word of an order; stacks: one a venue", class_="quiet"),
        *_groups(stages),
        *_boxes(stages),
        *_wires(stages, width),
        *_ruler(stages, width, wait),
        *_host(width),
    ]
    return element(
        "svg", *parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {HOST + 88}", width=width, height=HOST + 88, role="img",
        aria_label="Block diagram of the card",
    ) + "\n"


def _marker(name: str) -> str:
    arrow = element("path", d="M0,0L8,4L0,8z", class_=name)
    return element("marker", arrow, id=name, markerWidth=8, markerHeight=8, refX=7, refY=4, orient="auto", markerUnits="userSpaceOnUse")


def _x(number: int) -> int:
    return LEFT + number * (BOX + GAP)


def _groups(stages: list[Stage]) -> list[str]:
    """A frame around neighbours of one folder."""
    parts = []
    for folder, members in groupby(enumerate(stages), key=lambda item: item[1].folder):
        numbers = [number for number, _ in members]
        x, width = _x(numbers[0]) - 8, len(numbers) * (BOX + GAP) - GAP + 16
        parts.append(element("rect", x=x, y=TOP - 24, width=width, height=HEIGHT + 56, rx=8, class_="group"))
        parts.append(text(x + 6, TOP - 10, folder + "/", class_="quiet"))
    return parts


def _boxes(stages: list[Stage]) -> list[str]:
    parts = []
    for number, stage in enumerate(stages):
        x = _x(number)
        if stage.per_venue:
            parts.append(element("rect", x=x + 5, y=TOP + 5, width=BOX, height=HEIGHT, rx=5, class_="behind"))
        door = " door" if "gateway" in stage.source else ""
        parts.append(element("rect", element("title", stage.purpose), x=x, y=TOP, width=BOX, height=HEIGHT, rx=5, class_=f"box{door}"))
        words = stage.name.split()
        lines = [stage.name] if len(stage.name) <= 11 or len(words) == 1 else [words[0], " ".join(words[1:])]
        for line, name in enumerate(lines):
            parts.append(text(x + BOX / 2, TOP + 30 + 15 * line - 6 * (len(lines) - 1), name, anchor="middle", class_="name"))
        parts.append(text(x + BOX / 2, TOP + HEIGHT - 11, f"{stage.source.rsplit('/', 1)[1]}", anchor="middle", class_="quiet"))
        parts.append(text(x + BOX / 2, TOP + HEIGHT + 23, _cycles(stage.latency), anchor="middle", class_="cycles"))
    return parts


def _cycles(count: int) -> str:
    return f"{count} cycle{'' if count == 1 else 's'}"


def _wires(stages: list[Stage], width: int) -> list[str]:
    y = TOP + HEIGHT // 2
    last = _x(len(stages) - 1) + BOX
    spans = [(14, LEFT)] + [(_x(number) + BOX, _x(number + 1)) for number in range(len(stages) - 1)] + [(last, width - 14)]
    parts = [element("path", d=f"M{start},{y}H{end - 1}", class_="wire") for start, end in spans]
    parts += [text(14, y - 10, "feeds", class_="quiet"), text(width - 14, y - 10, "orders", anchor="end", class_="quiet")]
    return parts


def _ruler(stages: list[Stage], width: int, wait: int) -> list[str]:
    """Where the cycles go, to scale; the wait for the verdict stands before the commit buffer."""
    spans: list[tuple[str, int]] = []
    for stage in stages:
        if stage.component == "LineBuffer":
            spans.append(("verdict on the frame", wait))
        spans.append((stage.name, stage.latency))
    total = sum(cycles for _, cycles in spans)
    scale = (width - 2 * LEFT) / max(total, 1)
    parts = [text(LEFT, RULER - 10, "where the cycles go", class_="quiet")]
    for number, ((name, cycles), end) in enumerate(zip(spans, accumulate(cycles for _, cycles in spans), strict=True)):
        if cycles:
            x, length = LEFT + (end - cycles) * scale, cycles * scale
            hint = element("title", f"{name}: {_cycles(cycles)}")
            parts.append(element("rect", hint, x=x, y=RULER, width=length - 1, height=22, class_="odd" if number % 2 else "even"))
            shown = name if len(name) * 6.6 + 24 < length else ""
            parts.append(text(x + 6, RULER + 15, f"{cycles} {shown}".strip(), class_="on"))
    parts.append(text(LEFT + total * scale, RULER - 10, f"{total} cycles", anchor="end", class_="quiet"))
    return parts


def _host(width: int) -> list[str]:
    """What hangs on every stage."""
    left, right, middle = LEFT, width - LEFT, width / 2
    return [
        element("rect", x=left, y=HOST, width=right - left, height=28, rx=5, class_="box"),
        text(middle, HOST + 18, "hw/telemetry/ counters · hw/host_interface/ register bank and event ring", anchor="middle", class_="name"),
        element("path", d=f"M{middle - 60},{HOST + 28}V{HOST + 53}", class_="bus"),
        element("path", d=f"M{middle + 60},{HOST + 54}V{HOST + 29}", class_="bus"),
        text(middle, HOST + 72, "host/ sees one register window: limits, arming, kill; counters, events", anchor="middle", class_="quiet"),
    ]
