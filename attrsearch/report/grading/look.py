"""The thesis's network from attributes to the look of an edit, trained on a person's grades.

Source: thesis 4.4: a perceptron with hidden layers of 10, 20, 40, 20 and 20.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from attrsearch.core.errors import InputError
from attrsearch.report.grading.grades import GRADES, Edit, Grade

HIDDEN = (10, 20, 40, 20, 20)
MIN_EDITS_A_GRADE = 3
"""Fewest edits of a grade that it takes to be learnt."""


@dataclass(frozen=True)
class GradeModel:
    """A trained network and what it was worth on edits it had not seen.

    Attributes:
        accuracy: Share of edits graded as the person did, in cross-validation.
        chance: Share that always giving the commonest grade would reach.
        edits: How many grades it learnt from.
    """

    network: Pipeline
    accuracy: float
    chance: float
    edits: int

    def probabilities(
        self, attributes: npt.NDArray[np.float32]
    ) -> dict[str, npt.NDArray[np.float64]]:
        """Probability (n,) of each grade for attributes (n, 26)."""
        table = self.network.predict_proba(attributes)
        return {str(name): table[:, i] for i, name in enumerate(self.network.classes_)}


def learn_look(edits: Sequence[Edit], grades: Mapping[str, Grade], seed: int = 0) -> GradeModel:
    """Train on the graded edits.

    Raises:
        InputError: Fewer than two grades were given often enough.
    """
    graded = [edit for edit in edits if edit.picture in grades]
    labels = np.array([grades[edit.picture] for edit in graded])
    counts = {name: int((labels == name).sum()) for name in GRADES}
    often = [name for name, count in counts.items() if count >= MIN_EDITS_A_GRADE]

    if len(often) < 2:
        raise InputError(
            "grades",
            required=f"two grades given to {MIN_EDITS_A_GRADE} edits each",
            found=", ".join(f"{count} {name}" for name, count in counts.items()),
            hint="grade more edits: attrsearch grade RUN",
        )

    kept = np.isin(labels, often)
    values = np.stack([edit.attributes for edit in graded])[kept]
    labels = labels[kept]
    network = make_pipeline(
        StandardScaler(), MLPClassifier(HIDDEN, max_iter=500, random_state=seed)
    )
    folds = StratifiedKFold(MIN_EDITS_A_GRADE, shuffle=True, random_state=seed)

    with warnings.catch_warnings():
        # with few grades it stops at the limit, which is no fault
        warnings.simplefilter("ignore", ConvergenceWarning)
        guessed = cross_val_predict(network, values, labels, cv=folds)
        network.fit(values, labels)

    chance = max((labels == name).mean() for name in often)
    return GradeModel(network, float((guessed == labels).mean()), float(chance), len(labels))
