"""Every table and figure that can be asked for, and the experiment it is a part of."""

import logging
import time
from collections.abc import Callable, Iterator

from attrsearch.core.errors import InputError, did_you_mean
from attrsearch.experiments import (
    accuracy,
    baselines,
    batches,
    distances,
    look,
    memory,
    prefilter,
    table_4_2,
    utility,
)
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.section import Section

log = logging.getLogger(__name__)

Experiment = Callable[[ExperimentContext], dict[str, Section]]

CATALOGUE: dict[str, Experiment] = {
    "figure-2.4": baselines.study,
    "figure-2.5": baselines.study,
    "figure-2.6": baselines.study,
    "figure-3.1": batches.study,
    "figure-3.2": prefilter.study,
    "table-3.1": distances.study,
    "figure-3.4": distances.study,
    "figure-4.1": batches.study,
    "figure-4.2": batches.study,
    "figure-4.3": batches.study,
    "figure-4.4": batches.study,
    "table-4.1": batches.study,
    "table-4.2": table_4_2.study,
    "figure-4.5": prefilter.study,
    "table-4.3": prefilter.study,
    "table-4.4": accuracy.study,
    "figure-4.6": accuracy.study,
    "table-4.5": look.study,
    "figure-4.7": look.study,
    "figure-4.8": look.study,
    "table-4.6": utility.study,
    "figure-4.11": memory.study,
    "figure-4.12": memory.study,
}
"""Name to experiment, in the thesis's order; one experiment makes every table and figure that names
it here.
"""

ELSEWHERE = {
    "figure-3.3": "it shows which region is measured: the face in its window, as in figure 4.2",
    "figure-3.5": "it is a drawing of how detections collide",
    "figure-4.9": "attrsearch apply VIDEO … --debug-video FILE draws restored detections in red",
    "figure-4.10": "attrsearch apply VIDEO … --fallback mask --debug-video FILE",
}
"""What is not measured here, and what to do instead."""


def reproduce(name: str, lab: ExperimentContext) -> Section:
    """Measure one table or figure.

    Raises:
        InputError: No such name, or the folder does not hold what it takes.
    """
    return find(name)(lab)[name]


def reproduce_all(
    lab: ExperimentContext,
) -> Iterator[list[Section]]:
    """Measure everything, each experiment once, in the thesis's order.

    What took how long, and what this folder cannot give, is logged.

    Args:
        lab: Models and people.

    Yields:
        All that is measured so far, in the thesis's order, after each experiment.
    """
    found: dict[str, Section] = {}

    # several names share an experiment: it is measured where its first name stands
    for experiment in dict.fromkeys(CATALOGUE.values()):
        names = ", ".join(name for name, its in CATALOGUE.items() if its is experiment)
        start = time.perf_counter()

        try:
            found |= experiment(lab)
        except InputError as error:
            log.warning(f"left out: {names}: {error}")
        else:
            log.info(f"{names}: {time.perf_counter() - start:.0f} s")
            yield [found[name] for name in CATALOGUE if name in found]


def find(name: str) -> Experiment:
    """The experiment of a table or figure.

    Raises:
        InputError: No such name.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]

    hint = ELSEWHERE.get(name) or did_you_mean(name, (*CATALOGUE, "all"))
    found = "one that is not measured" if name in ELSEWHERE else "another name"
    raise InputError(name, required="a table or figure that is measured", found=found, hint=hint)
