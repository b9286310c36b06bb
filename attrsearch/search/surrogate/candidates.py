"""Pools of candidates to choose from, as points of a person's space."""

import numpy as np
import numpy.typing as npt

from attrsearch.search.space import PersonSpace

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]

STEPS = (0.05, 0.15, 0.4)
"""How far incumbents are moved: standard deviations as shares of the bounds' width."""


def spread_points(space: PersonSpace, count: int, seed: int) -> Floats64:
    """Scrambled Sobol points of the space, (count, d); a power of two is balanced best."""
    from scipy.stats import qmc  # noqa: PLC0415 - slow to load, and many studies have no surrogate

    sobol = qmc.Sobol(len(space.names), scramble=True, rng=np.random.default_rng(seed))
    # Sobol points are balanced in powers of two: more are drawn, and cut off
    exponent = max(0, int(np.ceil(np.log2(max(1, count)))))
    return np.asarray(space.low + sobol.random_base2(exponent)[:count] * (space.high - space.low))


def moved_points(
    space: PersonSpace, incumbents: Floats64, count: int, generator: np.random.Generator
) -> Floats64:
    """Incumbents (k, d) moved in some of their values, near and far: (count, d)."""
    picked = incumbents[generator.integers(0, len(incumbents), count)]
    step = np.asarray(STEPS)[generator.integers(0, len(STEPS), count)][:, None]
    # half of the values stay, so that what made an incumbent good is mostly kept
    changed = generator.random(picked.shape) < 0.5
    moved = picked + changed * step * generator.standard_normal(picked.shape) * (
        space.high - space.low
    )

    return np.asarray(np.clip(moved, space.low, space.high))


def inside(space: PersonSpace, sets: Floats) -> Floats64:
    """Attribute sets (k, passes, 13) of other people as points of this space, (k, d)."""
    return np.clip(space.values(sets), space.low, space.high)
