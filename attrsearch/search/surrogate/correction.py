"""Fit a pooled model's predictions to one person.

An offset and a slope a target, drawn towards 0 and ``PRIOR``.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]

OFFSET = 0.5
"""How many trials of their own the belief in no offset weighs as much as."""
SLOPE = 32.0
PRIOR = 0.25
"""The same for a slope of ``PRIOR``: what people have in common is a small part of what each of
them shows.
"""


@dataclass(frozen=True)
class LinearCorrection:
    """Offsets and slopes, (k,) each, about the centres of the predictions."""

    centre: Floats64
    offset: Floats64
    slope: Floats64

    @classmethod
    def fit(cls, predicted: Floats64, measured: Floats64) -> Self:
        """Ridge regression of measured on predicted targets, both (n, k), a target at a time.

        >>> predicted, measured = np.linspace(0, 1, 500)[:, None], np.linspace(1, 3, 500)[:, None]
        >>> found = LinearCorrection.fit(predicted, measured)
        >>> found.apply(np.array([[0.5]])).round(2)
        array([[2.]])
        """
        if not len(predicted):
            zero = np.zeros(predicted.shape[1])
            return cls(zero, zero, np.ones(predicted.shape[1]))

        centre = predicted.mean(0)
        deviation = predicted - centre
        rest = measured - predicted
        offset = rest.sum(0) / (len(rest) + OFFSET)
        # predictions that are all the same have no slope
        variance = np.maximum((deviation**2).mean(0), 1e-8)
        left = measured - centre - offset - PRIOR * deviation
        slope = PRIOR + (deviation * left).sum(0) / ((deviation**2).sum(0) + SLOPE * variance)

        # a few trials by chance must not turn the order of candidates around
        return cls(centre, offset, np.maximum(slope, 0.1))

    def apply(self, predicted: Floats64) -> Floats64:
        """Predictions for this person, (n, k)."""
        return predicted + self.offset + (self.slope - 1) * (predicted - self.centre)
