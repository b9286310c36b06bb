"""One person's search while it goes on: what was measured so far, and the winner's verification.

A candidate that would be the best so far is measured on variations of the searched pictures, too.
A winner that fails on the pictures kept back is not the end: the picture it fails on worst is
searched, too, everything measured before is measured on it and judged again, and the search goes on
for a few trials.  What is left of the pictures kept back then verifies the new winner.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from attrsearch.core.picking import take
from attrsearch.faces.dataset import AlignedFace, Identity
from attrsearch.search.evaluator import Evaluator, Request, Subject
from attrsearch.search.models import Settings
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.study import PersonStudy
from attrsearch.search.terms import FaceScores
from attrsearch.search.variations import vary

Floats = npt.NDArray[np.float32]

AT_ONCE = 2
"""Candidates measured on variations together."""
MOST_TIED = 6
"""Candidates of about the same worth that are compared by how they look, at most."""


@dataclass
class PersonSearch:
    """A person's search.

    Attributes:
        identity: The person.
        seed: The person's own seed.
        faces: The faces that are searched, as :attr:`subject` holds them.
        held: The faces that were kept back at first.
        subject: The searched faces.
        study: Proposes candidates.
        attributes: Every candidate so far, a round after another.
        scores: What was measured of them.
        results: What that is worth on the searched faces alone.
        varied: Variations of the searched faces, where the study asks for them.
        checked: Candidates that were measured on these, by index, and how they violate the
            constraints there, (constraints,).
        seconds: Time of each candidate.
        times: When each was proposed and when it was measured, seconds since 1970.
        joined: Indices of the faces of :attr:`held` that are searched by now.
        winner: Index of the winner among the candidates, chosen at the end.
        verified: The winner on the others (one candidate); None where there is none.
        verified_faces: How many these are.
    """

    identity: Identity
    seed: int
    faces: tuple[AlignedFace, ...]
    held: tuple[AlignedFace, ...]
    subject: Subject
    study: PersonStudy
    attributes: list[Floats] = field(default_factory=list)
    scores: list[FaceScores] = field(default_factory=list)
    results: list[CandidateResults] = field(default_factory=list)
    varied: Subject | None = None
    checked: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)
    joined: tuple[int, ...] = ()
    winner: int = 0
    verified: CandidateResults | None = None
    verified_faces: int = 0

    def measured(self) -> CandidateResults:
        """Every candidate, with what was found on variations.

        Where no candidate meets the constraints there, too, the searched pictures alone decide.
        """
        plain = CandidateResults.join(self.results)
        strict = self._strict(plain)
        return strict if strict.feasible.any() else plain

    def add(
        self, request: Request, scores: FaceScores, settings: Settings, evaluator: Evaluator
    ) -> None:
        """Take up what was measured of a round's candidates, and tell the study."""
        self.attributes.append(request.attributes)
        self.scores.append(scores)
        self.results.append(aggregate(settings.objective, scores))
        self._check(settings, evaluator)

        everything = self._strict(CandidateResults.join(self.results))
        self.study.tell(everything.last(len(request.attributes)))

    def vary(self, settings: Settings, evaluator: Evaluator) -> None:
        """Prepare variations of the searched faces, and forget what earlier ones gave."""
        recipe = settings.study.verification
        self.checked = {}

        if recipe is not None and recipe.variations:
            self.varied, _ = evaluator.prepare(vary(self.faces, recipe.variations))

    def _strict(self, plain: CandidateResults) -> CandidateResults:
        """Results of all candidates, with the violations on variations where these are known."""
        violations = plain.violations.copy()
        for number, found in self.checked.items():
            # the worse of both: a variation cannot make a candidate better
            violations[number] = np.maximum(violations[number], found)

        return replace(plain, violations=violations)

    def _check(self, settings: Settings, evaluator: Evaluator) -> None:
        """Measure on variations whatever would win, until a candidate that was measured there does.

        Most candidates never would, and cost nothing.
        """
        if self.varied is None:
            return

        plain = CandidateResults.join(self.results)

        while True:
            strict = self._strict(plain)
            known = np.isin(np.arange(len(plain.utility)), list(self.checked))
            passed = strict.objective_value[known & strict.feasible]
            best = passed.max(initial=-np.inf)
            open_ones = plain.feasible & ~known & (plain.objective_value > best)
            # small batches are filled up: a second candidate costs little
            ranked = [int(i) for i in strict.order() if open_ones[i]][:AT_ONCE]
            if not ranked:
                return

            self._check_some(ranked, settings, evaluator)

    def _check_some(self, numbers: Sequence[int], settings: Settings, evaluator: Evaluator) -> None:
        """Measure candidates on variations."""
        if self.varied is None or not numbers:
            return

        attributes = np.concatenate(self.attributes)[list(numbers)]
        scores = evaluator.evaluate([Request(self.varied, attributes)])[0]
        violations = aggregate(settings.objective, scores).violations
        self.checked |= dict(zip(numbers, violations, strict=True))

    def _choose(self, settings: Settings, evaluator: Evaluator) -> int:
        """Index of the winner: the best candidate, or the best-looking of those as good."""
        results = self.measured()
        looks = evaluator.looks
        tied = results.tied(settings.study.ties)[:MOST_TIED]
        if looks is None or len(tied) < 2:
            return results.best()

        # whatever may win has to stand its variations, too
        self._check_some([i for i in tied if i not in self.checked], settings, evaluator)
        still = self.measured().feasible
        tied = [i for i in tied if still[i]]

        attributes = np.concatenate(self.attributes)[tied]
        rendered = evaluator.render(Request(self.subject, attributes))
        return tied[int(looks.score(self.subject, rendered).argmax())]

    def over(self, settings: Settings, evaluator: Evaluator) -> bool:
        """Whether the search is over, its winner verified; asked after every round."""
        while self.study.remaining == 0:
            failed = self._verify(settings, evaluator)
            recipe = settings.study.verification
            # each round takes a picture from those that verify: they must not all be used up
            if failed is None or recipe is None or len(self.joined) >= recipe.rounds:
                return True

            trials = round(recipe.extra * settings.study.trials)
            self._join(failed, trials, settings, evaluator)

        return False

    def _verify(self, settings: Settings, evaluator: Evaluator) -> int | None:
        """Measure the winner on the faces that are kept back still.

        Returns:
            Index in :attr:`held` of the face on which a feasible winner fails worst; None where it
            does not fail, or where there is nothing to verify.
        """
        best = self.winner = self._choose(settings, evaluator)
        results = self.measured()
        waiting = [i for i in range(len(self.held)) if i not in self.joined]
        self.verified = None
        self.verified_faces = 0
        if not waiting:
            return None

        subject, kept = evaluator.prepare(take(self.held, waiting))
        self.verified_faces = len(kept)
        if subject is None:
            return None

        winner = np.concatenate(self.attributes)[[best]]
        scores = evaluator.evaluate([Request(subject, winner)])[0]
        self.verified = aggregate(settings.objective, scores)
        # a winner that failed on the searched pictures has nothing to be refuted
        if self.verified.feasible[0] or not results.feasible[best]:
            return None

        return waiting[kept[int(scores.distance[0].argmin())]]

    def _join(self, number: int, trials: int, settings: Settings, evaluator: Evaluator) -> None:
        """Search one of the faces kept back, too, for further trials."""
        start = time.perf_counter()
        face = self.held[number]
        earlier = np.concatenate(self.attributes)
        alone, _ = evaluator.prepare([face])
        subject, _ = evaluator.prepare([*self.faces, face])
        if alone is None or subject is None:
            raise RuntimeError(f"{self.identity.id}: a face that was found is not found again")

        # Only the new face is measured: what the others gave is known.
        added = evaluator.evaluate([Request(alone, earlier)])[0]
        scores = FaceScores.join(self.scores).beside(added)
        results = aggregate(settings.objective, scores)

        self.joined += (number,)
        self.faces += (face,)
        self.subject = subject
        self.scores = [scores]
        self.results = [results]
        self.vary(settings, evaluator)
        self._check(settings, evaluator)
        self.study.search_on(self._strict(results), trials)

        # every earlier candidate was measured on the new face: each took a part of the time
        share = (time.perf_counter() - start) / len(earlier)
        self.seconds = [seconds + share for seconds in self.seconds]
