"""Figures of a report as SVG inside the page: no script, no network, sharp in print, colours of the page's style.

Each function takes rows and returns finished markup; the classes that it uses are in style.css.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from dmfa.money import euro

WIDTH = 920
"""Width of every figure in its own units; the page scales it."""

_ROW = 22
_LEFT = 330
"""Room for what a row is, on the left; a longer text is cut."""

_LETTERS = 46
_RIGHT = 105


def _svg(height: int, title: str, parts: Iterable[str]) -> Markup:
    return Markup(  # noqa: S704 - every text in the parts is escaped where it enters
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _rect(x: float, y: float, width: float, kind: str, words: str, *, height: float = _ROW - 6) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="2">'
        f"<title>{escape(words)}</title></rect>"
    )


def _label(code: str, words: str) -> str:
    label = f"{code}  {words}".strip()
    return label if len(label) <= _LETTERS else f"{label[: _LETTERS - 1].rstrip(' ,')}…"


def stacked(title: str, parts: Sequence[tuple[str, str, int]]) -> Markup:
    """One bar cut into parts.

    Args:
        title: what it shows.
        parts: class of colour, words and number of each part.
    """
    total = sum(number for _, _, number in parts) or 1
    shapes, x = [], 0.0
    for kind, words, number in parts:
        width = WIDTH * number / total
        shapes.append(_rect(x, 0, max(width - 2, 0), kind, f"{words}: {number:,}", height=26))
        x += width
    return _svg(26, title, shapes)


def bars(title: str, rows: Sequence[tuple[str, int, str]], kind: str = "declared") -> Markup:
    """Horizontal bars.

    Args:
        title: what they show.
        rows: label, number and words beside the bar.
        kind: class of colour.
    """
    most = max((number for _, number, _ in rows), default=0) or 1
    left, right = 150, 230
    shapes = []
    for place, (label, number, words) in enumerate(rows):
        y = place * (_ROW + 4)
        width = (WIDTH - left - right) * number / most
        shapes.append(_text(left - 10, y + 16, label, "label", "end"))
        shapes.append(_rect(left, y + 3, width, kind, f"{label}: {words}"))
        shapes.append(_text(left + width + 8, y + 16, words, "value"))
    return _svg(len(rows) * (_ROW + 4), title, shapes)


def beside(title: str, rows: Sequence[tuple[str, str, int, int | None]]) -> Markup:
    """Two amounts per row as points on an axis on which each step is ten times the one before.

    Args:
        title: what they show.
        rows: code, words, declared and computed cents; None where nothing could be computed.
    """
    most = max((max(declared, computed or 0) for *_, declared, computed in rows), default=0)
    decades = max(math.ceil(math.log10(max(most, 1_000) / 100)), 1)
    step = 1 if decades <= 7 else 2
    span = WIDTH - _LEFT - _RIGHT
    bottom = len(rows) * _ROW + 6

    def across(cents: int) -> float:
        return _LEFT + span * min(max(math.log10(max(cents, 100) / 100) / decades, 0), 1)

    shapes = []
    for decade in range(decades + 1):
        x = across(100 * 10**decade)
        shapes.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>')
        if decade % step == 0:
            shapes.append(_text(x, bottom + 16, _round_amount(decade), "tick", "middle"))
    for place, (code, what, declared, computed) in enumerate(rows):
        y = place * _ROW + 12
        start, end = across(declared), across(computed or 0)
        words = f"{code} {what}: declared {euro(declared)}, " + (
            "not computed" if computed is None else f"computed {euro(computed)}"
        )
        shapes.append(f"<g><title>{escape(words)}</title>")
        shapes.append(_text(0, y + 4, _label(code, what), "label"))
        shapes.append(f'<line class="stem" x1="{_LEFT}" x2="{start:.1f}" y1="{y}" y2="{y}"/>')
        if computed is not None:
            shapes.append(f'<circle class="computed" cx="{end:.1f}" cy="{y}" r="4"/>')
        shapes.append(
            f'<circle class="ring{"" if computed is not None else " open"}" cx="{start:.1f}" cy="{y}" r="6.5"/>'
        )
        shapes.append(_text(WIDTH, y + 4, euro(declared), "value", "end"))
        shapes.append("</g>")
    return _svg(bottom + 22, title, shapes)


def _round_amount(decade: int) -> str:
    """A power of ten in euro, in words where the zeros would be hard to count."""
    for above, word in ((9, " billion"), (6, " million")):
        if decade >= above:
            return f"{10 ** (decade - above):,}{word}"
    return f"{10**decade:,}"


def around_zero(
    title: str,
    rows: Sequence[tuple[str, str, int]],
    sides: tuple[str, str] = ("less than declared", "more than declared"),
) -> Markup:
    """Bars to the left for less and to the right for more.

    Args:
        title: what they show.
        rows: code, words and difference in cents.
        sides: what the left side means, and the right one.
    """
    most = max((abs(cents) for *_, cents in rows), default=0) or 1
    middle = (_LEFT + WIDTH) / 2
    reach = middle - _LEFT - 110
    height = len(rows) * (_ROW + 4)
    shapes = [f'<line class="axis" x1="{middle}" x2="{middle}" y1="0" y2="{height + 4}"/>']
    for place, (code, what, cents) in enumerate(rows):
        y = place * (_ROW + 4)
        width = max(reach * abs(cents) / most, 1.5)
        less = cents < 0
        words = f"{'' if less else '+'}{euro(cents)} €"
        shapes.append(_text(0, y + 16, _label(code, what), "label"))
        shapes.append(_rect(middle - width if less else middle, y + 3, width, "computed", f"{code}: {words}"))
        shapes.append(
            _text(
                middle - width - 8 if less else middle + width + 8, y + 16, words, "value", "end" if less else "start"
            )
        )
    shapes.append(_text(middle - 6, height + 18, sides[0], "tick", "end"))
    shapes.append(_text(middle + 6, height + 18, sides[1], "tick"))
    return _svg(height + 24, title, shapes)
