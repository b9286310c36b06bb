"""How often a winner holds on pictures that neither the search nor its verification saw.

    python docs/results/search/holds.py PEOPLE --names NAMES.txt [--study STUDY]... [--trials 24]

PEOPLE is a folder with a folder of pictures a person, NAMES a file with a name a line.  Of each
person ten pictures are read, drawn by the seed: four are given to the study, which searches some and
keeps some back; the winner is then measured on the others.  Prints a row of a Markdown table a study.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.faces.dataset import AlignedFace, PersonFaces
from attrsearch.faces.people import find_people
from attrsearch.runs.verdict import Verdict, verdict_of
from attrsearch.search.evaluator import Request
from attrsearch.search.lockstep import Finished, search_people
from attrsearch.search.models import Components, Settings, load_components
from attrsearch.search.objective import aggregate

People = tuple[PersonFaces, list[AlignedFace]]

PICTURES, GIVEN = 10, 4
HEAD = (
    "study",
    "feasible",
    "holds",
    "holds on unseen pictures",
    "said to hold, and does",
    "unseen pictures above the limit",
    "utility, searched",
    "utility, unseen",
    "trials",
    "processor seconds",
)


@dataclass(frozen=True)
class Unseen:
    """What came of a person: the verdict, and the winner on pictures that nothing saw."""

    verdict: Verdict
    feasible: bool
    holds: bool
    share: float
    utility: float
    unseen_utility: float
    trials: int


def measure(
    item: Finished, unseen: list[AlignedFace], settings: Settings, models: Components
) -> Unseen:
    """Measure a person's winner on pictures that nothing saw."""
    subject, _ = models.evaluator.prepare(unseen)
    if subject is None:
        raise SystemExit(f"{item.id}: needs an unseen picture with a face, found none")
    scores = models.evaluator.evaluate([Request(subject, item.attributes[[item.winner]])])[0]
    found = aggregate(settings.objective, scores)
    verified = None if item.held_out is None else bool(item.held_out.feasible[0])
    limits = [c.above for c in settings.objective.constraints if c.above != "verification"]
    return Unseen(
        verdict=verdict_of(item.feasible, verified),
        feasible=item.feasible,
        holds=item.feasible and bool(found.feasible[0]),
        share=item.feasible * float((scores.distance[0] > max(limits)).mean()),
        utility=float(item.results.utility[item.winner]),
        unseen_utility=float(found.utility[0]),
        trials=len(item.attributes),
    )


def read(folder: Path, names: list[str], models: Components, seed: int) -> dict[str, People]:
    """Each person's pictures that are given to a study, and those that nothing is to see."""
    found = {}
    for person in find_people(folder):
        if person.id not in names:
            continue
        faces = models.gather(person, PICTURES).faces
        order = np.random.default_rng(seed).permutation(len(faces))
        given = PersonFaces(person.id, tuple(faces[i] for i in order[:GIVEN]))
        found[person.id] = given, [faces[i] for i in order[GIVEN:]]
    return found


def row(study: str, people: dict[str, People], trials: int, seed: int) -> str:
    """A row of the table: a study on all people."""
    recipe = load_study(study, trials=trials, seed=seed)
    settings = Settings(recipe, load_space(recipe.space), load_objective(recipe.objective))
    models = load_components(settings)
    given = [person for person, _ in people.values()]

    found = []
    measuring = 0.0
    start = time.process_time()
    for item in search_people(
        given, settings, models.evaluator, models.gather, pooled=models.pooled
    ):
        if not isinstance(item, Finished):
            raise SystemExit(f"{item.id}: {item.reason}")
        begun = time.process_time()
        found.append(measure(item, people[item.id][1], settings, models))
        measuring += time.process_time() - begun
    seconds = time.process_time() - start - measuring

    good = [person for person in found if person.feasible]
    said = [person for person in good if person.verdict is Verdict.HOLDS]
    cells = [
        study,
        f"{len(good)} of {len(found)}",
        len(said),
        sum(person.holds for person in found),
        f"{sum(person.holds for person in said)} of {len(said)}",
        f"{np.mean([person.share for person in found]):.1%}",
        f"{np.mean([person.utility for person in good]):.3f}",
        f"{np.mean([person.unseen_utility for person in good]):.3f}",
        sum(person.trials for person in found),
        f"{seconds:.0f}",
    ]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def main() -> None:
    """Read the command line, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("people", type=Path)
    parser.add_argument("--names", type=Path, required=True)
    parser.add_argument("--study", action="append", default=[])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = options.names.read_text(encoding="utf-8").split()
    studies = options.study or ["per_identity"]
    first = load_study(studies[0])
    space, objective = load_space(first.space), load_objective(first.objective)
    models = load_components(Settings(first, space, objective))
    people = read(options.people, names, models, options.seed)
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    for study in studies:
        print(row(study, people, options.trials, options.seed), flush=True)


if __name__ == "__main__":
    main()
