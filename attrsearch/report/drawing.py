"""Small drawings (SVG) for pages without a script."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from markupsafe import Markup

WIDTH = 560
HEIGHT = 320
LEFT = 54
RIGHT = 16
TOP = 14
BOTTOM = 46


def trade_off_chart(data: dict[str, Any], judge: str, detector: str) -> Markup:
    """Recall of a detector over rank-1 identification by a judge, a point a protection."""
    points = []

    for kept in data["protections"]:
        name = kept["protection"]
        x = None
        for row in data["judges"]:
            if row["judge"] == judge and row["protection"] == name:
                x = row.get("rank1")
                break

        y = kept.get(f"recall_{detector}")

        if x is not None and y is not None:
            points.append((name, float(x), float(y)))

    parts = [_axes((0, 1), (0, 1), "rank-1 identification", "detection recall")]
    for number, (name, x, y) in enumerate(points):
        across = _x(x)
        down = _y(y)
        # a long name to the right of such a point would be cut off
        late = across > WIDTH - 150
        shift, anchor = (-8, "end") if late else (8, "start")
        parts.append(
            f'<circle class="mark" cx="{across:.1f}" cy="{down:.1f}" '
            f'r="4"><title>{escape(name)}</title></circle>'
        )
        # a name goes down a line for every earlier point whose own would lie in its way
        nudge = 4
        for _, px, py in points[:number]:
            if abs(px - x) < 0.2 and abs(py - y) < 0.04:
                nudge += 11

        parts.append(
            f'<text x="{across + shift:.1f}" y="{down + nudge:.1f}" '
            f'text-anchor="{anchor}">{escape(name)}</text>'
        )

    return _svg(parts, f"Detection against identification by {judge}")


def distance_chart(bins: Sequence[float], counts: dict[str, Any]) -> Markup:
    """Distributions of raw distances.

    Genuine, impostor, and protected faces against their person's other originals.
    """
    edges = np.array(bins)
    middles = (edges[:-1] + edges[1:]) / 2
    lines = {}

    for name in ("genuine", "impostor", "protected"):
        values = np.array(counts[name], np.float64)
        lines[name] = values / values.sum() if values.sum() else values

    top = max(float(values.max()) for values in lines.values()) or 1.0
    some = np.flatnonzero(sum(lines.values()))
    low, high = (edges[some[0]], edges[some[-1] + 1]) if len(some) else (0.0, 2.0)
    parts = [_axes((low, high), None, "raw distance", "share of pairs")]
    dashes = {"genuine": "2 3", "impostor": "7 4", "protected": "none"}

    for place, (name, values) in enumerate(lines.items()):
        path = ""
        for x, value in zip(middles, values, strict=True):
            if low <= x <= high:
                path += f"{'L' if path else 'M'}{_x(x, low, high):.1f} {_y(value / top):.1f}"

        parts.append(
            f'<path class="line" d="{path}" fill="none" stroke="currentColor" '
            f'stroke-dasharray="{dashes[name]}"/>'
        )
        y = TOP + 12 + 16 * place
        parts.append(
            f'<path d="M{LEFT + 8} {y - 4}h26" stroke="currentColor" '
            f'stroke-dasharray="{dashes[name]}"/>'
        )
        parts.append(f'<text x="{LEFT + 40}" y="{y}">{name}</text>')

    return _svg(parts, f"Distances of {counts['protection']}")


def _axes(x: tuple[float, float], y: tuple[float, float] | None, x_title: str, y_title: str) -> str:
    base = HEIGHT - BOTTOM
    parts = [
        f'<path class="grid" d="M{LEFT} {TOP}V{base}H{WIDTH - RIGHT}" fill="none" '
        'stroke="currentColor"/>'
    ]

    for share in (0, 0.25, 0.5, 0.75, 1):
        value = x[0] + share * (x[1] - x[0])
        across = _x(value, *x)
        parts.append(
            f'<text x="{across:.1f}" y="{base + 16}" text-anchor="middle">{value:.2f}</text>'
        )

        if y is not None:
            parts.append(
                f'<text x="{LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.2f}</text>'
            )

    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_title)}</text>'
    )
    upright = f'transform="rotate(-90 12 {HEIGHT / 2})"'
    parts.append(
        f'<text x="12" y="{HEIGHT / 2}" text-anchor="middle" {upright}>{escape(y_title)}</text>'
    )

    return "".join(parts)


def _x(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / max(high - low, 1e-9)


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _svg(parts: Sequence[str], label: str) -> Markup:
    head = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">'
    )
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 - every text in it is escaped
