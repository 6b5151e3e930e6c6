"""Just enough SVG: elements, linear scales, axes. Colours are CSS classes, so that a chart follows the page's theme."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10


def element(name: str, *children: str, **attributes: object) -> str:
    """``element("line", x1=0, class_="axis")``: a trailing underscore is dropped, other underscores become hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"' for key, value in attributes.items() if value is not None
    )
    inside = "".join(children)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, *, anchor: str = "start", class_: str = "label") -> str:
    return element("text", escape(words), x=float(x), y=float(y), text_anchor=anchor, class_=class_)


def tooltip(words: str) -> str:
    return element("title", escape(words))


def polyline(points: Iterable[tuple[float, float]], class_: str) -> str:
    return element("path", d="M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_)


def drawing(width: int, height: int, *children: str, label: str) -> str:
    """The outer element; scales to the width that the page gives it."""
    return element(
        "svg", *children, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", role="img", aria_label=label, class_="chart"
    )


@dataclass(frozen=True)
class Scale:
    """Linear map of [low, high] to [start, end] in pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1
        return self.start + (value - self.low) * (self.end - self.start) / span

    def inside(self, value: float) -> bool:
        return self.low <= value <= self.high


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round values within [low, high], about as many as wanted."""
    span = high - low
    if span <= 0:
        return [low]
    step = 10 ** floor(log10(span / wanted))
    step *= min((1, 2, 2.5, 5, 10), key=lambda factor: abs(span / (step * factor) - wanted))
    first = -floor(-low / step)
    return [(first + number) * step for number in range(int((high - first * step) / step + 1e-9) + 1)]


def compact(value: float) -> str:
    """1234567 as 1.23M: for tick labels."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if suffix == "k" else size)
            return f"{scaled:.4g}{suffix}"
    return f"{value:.4g}"


@dataclass(frozen=True)
class Plot:
    """A plotting area with its two scales."""

    x: Scale
    y: Scale

    def grid(self, values: Sequence[float], labels: Sequence[str]) -> str:
        """Horizontal lines with labels on the left."""
        parts = []
        for value, words in zip(values, labels, strict=True):
            y = self.y(value)
            parts.append(element("line", x1=self.x.start, x2=self.x.end, y1=y, y2=y, class_="grid"))
            parts.append(text(self.x.start - 8, y + 4, words, anchor="end"))
        return "".join(parts)

    def bottom_axis(self, values: Sequence[float], labels: Sequence[str], title: str) -> str:
        parts = [element("line", x1=self.x.start, x2=self.x.end, y1=self.y.start, y2=self.y.start, class_="axis")]
        for value, words in zip(values, labels, strict=True):
            x = self.x(value)
            parts.append(element("line", x1=x, x2=x, y1=self.y.start, y2=self.y.start + 4, class_="axis"))
            parts.append(text(x, self.y.start + 17, words, anchor="middle"))
        parts.append(text(self.x.end, self.y.start + 33, title, anchor="end", class_="label quiet"))
        return "".join(parts)
