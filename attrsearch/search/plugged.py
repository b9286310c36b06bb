"""Which plug-ins a run uses, for what it writes about itself."""

from attrsearch.core.plugins import find
from attrsearch.core.recipes.base import (
    DETECTORS,
    PREFILTERS,
    REDUCTIONS,
    SAMPLER_NAMES,
    TERM_NAMES,
)
from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.study import Study
from attrsearch.core.weights import manifest
from attrsearch.faces.recognition.load import RECOGNISERS

BUILT_IN = {
    "detector": DETECTORS,
    "recogniser": (*RECOGNISERS, "auto"),
    "term": TERM_NAMES,
    "sampler": SAMPLER_NAMES,
    "prefilter": PREFILTERS,
    "aggregation": (*REDUCTIONS, "quantile"),
}


def plug_ins_of(study: Study, objective: Objective) -> list[str]:
    """The plug-ins that recipes name, each with its package and version, by kind and name."""
    named = [
        ("detector", study.detector),
        ("recogniser", study.recogniser),
        ("editor", study.editor),
        ("sampler", study.sampler.name),
    ]
    if study.prefilter is not None:
        named.append(("prefilter", study.prefilter.kind))

    for term in objective.maximised:
        named.append(("term", term))

    for how in objective.terms.values():
        named.append(("aggregation", how.aggregate))

    for constraint in objective.constraints:
        named.append(("term", constraint.term))
        named.append(("aggregation", constraint.aggregate))

    found = set()
    for kind, name in named:
        built_in = manifest() if kind == "editor" else BUILT_IN[kind]
        plug_in = None if name in built_in else find(kind, name)
        if plug_in is not None:
            found.add(plug_in.subject)

    return sorted(found)
