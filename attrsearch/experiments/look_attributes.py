"""Figure 4.7: the attributes and the distance of bad and good edits, a line an edit."""

import numpy as np
import numpy.typing as npt

from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.edits import Edits
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import Draw, worded
from attrsearch.search.space import PersonSpace

Ints = npt.NDArray[np.int64]
Floats64 = npt.NDArray[np.float64]

KINDS = {"bad": 0, "good": 2}
COLOURS = {"bad": 1, "good": 0}
LINES = 30
"""Edits of a kind that are drawn: more of them, and no line can be followed."""
TELLING = 3
"""Attributes that are named because bad and good edits differ most in them."""


def attribute_lines(space: PersonSpace, edits: Edits, grades: Ints) -> Section:
    """A few bad and a few good edits, a line each, and the mean of all of their kind."""
    # an edit without a face has no distance, which is the last value of a line
    values = np.concatenate([space.values(edits.attributes), edits.distance[:, :1]], 1)
    names = [name.removeprefix("first_").removeprefix("second_") for name in space.names]
    labels = [short(name).replace("_", " ") for name in names] + ["distance"]
    ticks = tuple((float(i), label) for i, label in enumerate(labels))
    means: dict[str, list[float]] = {}
    kinds: dict[str, dict[str, int]] = {}
    charts: dict[str, Draw] = {}

    for name, which in KINDS.items():
        rows = values[(grades == which) & edits.found[:, 0]]
        means[name] = rows.mean(0).tolist() if len(rows) else [float("nan")] * len(ticks)
        kinds[name] = {"shown": min(LINES, len(rows)), "edits": len(rows)}
        series = _series(rows[:LINES], means[name], COLOURS[name])
        charts[f"figure-4.7-{name}"] = _drawer(series, ticks)

    # the last value is the distance, which is no attribute
    gaps = np.abs(np.array(means["bad"]) - np.array(means["good"]))[:-1]
    telling = []
    for i in np.argsort(-np.nan_to_num(gaps))[:TELLING]:
        telling.append({"name": names[i], "bad": means["bad"][i], "good": means["good"][i]})

    figures = {
        "kinds": kinds,
        "distance": {name: mean[-1] for name, mean in means.items()},
        "telling": telling,
    }
    return worded("figure-4.7", figures, charts)


def _series(rows: Floats64, mean: list[float], colour: int) -> list[Series]:
    places = list(range(len(mean)))
    series = []
    for row in rows:
        series.append(Series("", places, row.tolist(), dots=False, colour=colour, faint=True))

    return [*series, Series("", places, mean, colour=colour)]


def _drawer(series: list[Series], ticks: tuple[tuple[float, str], ...]) -> Draw:
    across = Axis("", 0, len(ticks) - 1, ticks)
    return lambda caption: chart(caption, series, across, Axis("attribute, distance", -1.2, 1.8))


def short(name: str) -> str:
    """An attribute's name as it fits under an axis.

    >>> short("Mouth_Slightly_Open"), short("Pale_Skin"), short("No_Beard"), short("Bangs")
    ('Mouth', 'Pale', 'No Beard', 'Bangs')
    """
    first = name.split("_", maxsplit=1)[0]
    if name == "No_Beard":
        return "No Beard"

    return first if len(name) > 8 or first == "Pale" else name
