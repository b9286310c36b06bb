"""Best feasible utility against evaluations, an arm a line."""

from collections.abc import Mapping

import numpy as np

from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.search_report import Curves

TICKS = (1, 2, 5, 10, 25, 50, 100, 200, 500, 1000)


def search_curves(curves: Mapping[str, Curves]) -> bytes:
    """The chart as SVG: evaluations on a logarithmic axis, the mean over people on the other.

    Args:
        curves: Of :func:`~attrsearch.experiments.search_report.curves_of`.
    """
    lines = []
    for arm, curve in curves.items():
        means = [float(curve.by_person(column).mean()) for column in curve.best.T]
        places = np.log10(np.arange(len(means)) + 1).tolist()
        lines.append(Series(arm, places, means, dots=False))

    # arms of different length share the axis of the longest
    last = max(curve.best.shape[1] for curve in curves.values())
    top = max(max(line.y) for line in lines)
    ticks = tuple((float(np.log10(tick)), str(tick)) for tick in TICKS if tick <= last)
    across = Axis("evaluations", 0.0, max(0.3, float(np.log10(last))), ticks)
    along = Axis("best feasible utility", 0.0, max(0.2, float(np.ceil(5 * top)) / 5))

    return chart("Best feasible utility, mean over people", lines, across, along)
