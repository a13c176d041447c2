"""Bars as inline SVG: no script, nothing fetched; the figure stands beside each bar, so that nothing hangs on colours or lengths."""

from collections.abc import Sequence
from html import escape

_LABEL, _BARS, _FIGURE, _ROW = 250, 380, 190, 24
_PLUS, _MINUS, _OTHER = "#3366a8", "#b0562b", "#8fb0d8"


def bars(title: str, rows: Sequence[tuple[str, int, str]]) -> str:
    """One bar a row. rows: label, figure, figure as text; a negative one goes to the left, in another colour."""
    if not rows:
        return ""
    return _chart(title, [[(label, figure, shown, _PLUS if figure >= 0 else _MINUS)] for label, figure, shown in rows])


def pairs(title: str, rows: Sequence[tuple[tuple[str, int, str], tuple[str, int, str]]]) -> str:
    """Two bars a row, the two sides of what was compared: of the same length where they agree. Each row has a scale of its own."""
    both = [[(*left, _PLUS), (*right, _OTHER)] for left, right in rows]
    return "".join(_chart(title if not at else "", [one]) for at, one in enumerate(both))


def _chart(title: str, groups: Sequence[Sequence[tuple[str, int, str, str]]]) -> str:
    figures = [figure for group in groups for _, figure, _, _ in group]
    low, high = min(0, *figures), max(0, *figures)
    scale = _BARS / ((high - low) or 1)
    zero = _LABEL + round(-low * scale)
    width, height = _LABEL + _BARS + _FIGURE, sum(len(group) * _ROW for group in groups) + 4
    parts = [f'<svg role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">']
    parts += [f"<title>{escape(title)}</title>"] if title else []
    for at, (label, figure, shown, colour) in enumerate(one for group in groups for one in group):
        top, long = at * _ROW + 4, round(abs(figure) * scale)
        left = zero if figure >= 0 else zero - long
        parts.append(f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end">{escape(_short(label))}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{max(long, 1)}" height="{_ROW - 6}" fill="{colour}"/>')
        parts.append(f'<text x="{_LABEL + _BARS + 8}" y="{top + 14}">{escape(shown)}</text>')
    parts.append(f'<line x1="{zero}" x2="{zero}" y1="0" y2="{height}" stroke="#5b6472"/></svg>')
    return "".join(parts)


def _short(label: str) -> str:
    return label if len(label) <= 36 else f"{label[:35]}…"
