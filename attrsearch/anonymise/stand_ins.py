"""Sets for people of footage who have none of their own, or whose own do not hold everywhere."""

from dataclasses import replace

from attrsearch.anonymise.borrowed_sets import LOOKS, Lending, lenders_of
from attrsearch.core.recipes.space import load_space
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.search.config import RunConfig
from attrsearch.video.pipeline import SetAssignment
from attrsearch.video.tracking.reidentify import People


def with_stand_ins(
    assigned: SetAssignment,
    people: People,
    detector: Detector,
    scaled: CalibratedRecogniser,
    config: RunConfig,
    apart: frozenset[str],
) -> SetAssignment:
    """The same with sets for everybody: people's own first, then those of people like them.

    Args:
        assigned: What the search found: winners that are feasible, and further sets by person.
        people: Everybody.
        detector: Finds a face again in its window.
        scaled: Tells whom somebody is like.
        config: How was searched.
        apart: People who are left or filtered on purpose.
    """
    study = config.load_study()
    lending = Lending(
        lenders_of(assigned.sets, people.embeddings),
        load_space(study.space),
        study.stopping.widen if study.stopping is not None else 1.0,
        detector,
        scaled,
        config.genders or {},
    )
    sets = dict(assigned.sets)
    others = dict(assigned.others)

    for name in sorted(set(people.names.values()) - apart):
        looks = people.looks.get(name) or people.poor_looks.get(name, [])
        # a winner first, then the person's own, then what others lend: each is tried where those
        # before fail
        ordered = [assigned.sets[name]] if name in assigned.sets else []
        ordered += assigned.others.get(name, ())
        ordered += lending.to(name, [look.face for look in looks[:LOOKS]])
        sets[name] = ordered[0]
        others[name] = ordered[1:]

    return replace(assigned, sets=sets, others=others)
