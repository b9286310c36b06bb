"""Sets for people of footage who have none of their own, or whose own do not hold everywhere."""

from collections.abc import Sequence
from dataclasses import replace

from attrsearch.anonymise.borrowed_sets import LOOKS, Lending, lenders_of
from attrsearch.anonymise.next_sets import spare_sets
from attrsearch.core.recipes.space import load_space
from attrsearch.editing.editor import load_editor
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.search.config import RunConfig
from attrsearch.video.pipeline import SetAssignment
from attrsearch.video.tracking.reidentify import People


def with_borrowed(
    assigned: SetAssignment,
    lenders: Sequence[str],
    people: People,
    detector: Detector,
    scaled: CalibratedRecogniser,
    config: RunConfig,
    apart: frozenset[str],
) -> SetAssignment:
    """The same with sets of other people for whoever has none, or when their own do not hold.

    Args:
        assigned: What the search found.
        lenders: People with a feasible set.
        people: Everybody.
        detector: Finds a face again in its window.
        scaled: Tells whom somebody is like.
        config: How was searched.
        apart: People who are left or filtered on purpose.
    """
    study = config.load_study()
    lending = Lending(
        lenders_of({name: assigned.sets[name] for name in lenders}, people.embeddings),
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
        lent = lending.to(name, [look.face for look in looks[:LOOKS]])
        # a set that is feasible comes before all others, and all others before one that is not
        own = [sets[name]] if name in sets else []
        own += others.get(name, ())
        ordered = own + lent if name in lenders else lent + own

        if ordered:
            sets[name] = ordered[0]
            others[name] = ordered[1:]

    return replace(assigned, sets=sets, others=others)


def with_spares(assigned: SetAssignment, config: RunConfig, unseen: Sequence[str]) -> SetAssignment:
    """The same with spare sets for people who could not be searched.

    An editor whose edits do not keep a turned or small face's looks is not used for them: they are
    filtered.
    """
    study = config.load_study()
    editor = assigned.editor or load_editor(study.editor)
    if not unseen or not editor.turned:
        return assigned

    space = load_space(study.space)
    sets = dict(assigned.sets)
    others = dict(assigned.others)

    for name in unseen:
        borrowed = [sets[name], *others[name]] if name in sets else []
        first, *further = [*borrowed, *spare_sets(space, name)]
        sets[name] = first
        others[name] = further

    return replace(assigned, sets=sets, editor=editor, others=others)
