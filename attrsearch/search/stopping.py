"""End a search that has little more to gain, and give one that has nothing yet a little more.

What a person gets depends on that person alone.  Trials are not handed from one person to another:
everyone without a feasible candidate gets the same fixed allowance, which ends with their first
feasible candidate.
"""

import numpy as np
import numpy.typing as npt

from attrsearch.core.recipes.study import Stopping


class EarlyStopping:
    """Watches one search.

    Args:
        recipe: When to stop, and how much to add.
        trials: How many candidates the search was given.

    Attributes:
        extended: Whether the allowance has begun.
    """

    def __init__(self, recipe: Stopping, trials: int) -> None:
        self._recipe = recipe
        self._allowance = round(recipe.extra * trials)
        self.extended = False
        self._told = 0
        self._feasible = False
        self._idle = 0

    def remaining(
        self, remaining: int, feasible: npt.NDArray[np.bool_], expected_improvement: float
    ) -> int:
        """How many candidates are still to be proposed.

        Args:
            remaining: What the search thinks is left.
            feasible: Of the candidates of the last round.
            expected_improvement: Expected gain of the best candidate of the last pool; infinite
                where there was none.

        >>> stopper = EarlyStopping(Stopping(tolerance=0.01, patience=1, least=1, extra=0.5), 8)
        >>> stopper.remaining(0, np.array([False]), np.inf)
        4
        >>> stopper.remaining(3, np.array([True]), 0.5)
        0
        """
        self._told += len(feasible)
        self._feasible |= bool(feasible.any())
        self._idle = self._idle + 1 if expected_improvement < self._recipe.tolerance else 0

        if self._feasible:
            enough = self._told >= self._recipe.least and self._idle >= self._recipe.patience
            # the allowance was for a first feasible candidate, and there it is
            return 0 if enough or self.extended else remaining

        if remaining == 0 and not self.extended:
            self.extended = True
            return self._allowance

        return remaining
