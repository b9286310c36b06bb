"""Optuna samplers by the name a recipe gives them."""

from collections.abc import Callable

import optuna
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from attrsearch.core.parallel import without_warnings
from attrsearch.core.plugins import broken, made, unknown
from attrsearch.core.recipes.study import Sampler

optuna.logging.set_verbosity(optuna.logging.WARNING)

SAMPLERS: dict[str, Callable[[Sampler, int], BaseSampler]] = {
    "tpe": lambda recipe, seed: TPESampler(n_startup_trials=recipe.startup, seed=seed),
    "random": lambda _, seed: RandomSampler(seed=seed),
    "qmc": lambda _, seed: QMCSampler(qmc_type="sobol", scramble=True, seed=seed),
    "cmaes": lambda recipe, seed: CmaEsSampler(
        n_startup_trials=recipe.startup, seed=seed, warn_independent_sampling=False
    ),
    "gp": lambda recipe, seed: GPSampler(n_startup_trials=recipe.startup, seed=seed),
    "nsga2": lambda recipe, seed: NSGAIISampler(population_size=max(10, recipe.startup), seed=seed),
}


def ignores_constraints(sampler: BaseSampler) -> bool:
    """Whether a sampler is told a value with the constraint violation taken off it."""
    return isinstance(sampler, CmaEsSampler)


def make_sampler(recipe: Sampler, seed: int) -> BaseSampler:
    """The sampler of a recipe; its warnings about experimental features are hidden.

    Raises:
        UnavailableError: Neither built in nor a plug-in, or a broken one.
    """
    with without_warnings(optuna.exceptions.ExperimentalWarning):
        if recipe.name in SAMPLERS:
            return SAMPLERS[recipe.name](recipe, seed)

        sampler = made("sampler", recipe.name, recipe, seed)

    if sampler is None:
        raise unknown("sampler", recipe.name, list(SAMPLERS))

    if not isinstance(sampler, BaseSampler):
        found = f"a {type(sampler).__name__}"
        raise broken("sampler", recipe.name, "an Optuna sampler from its function", found)

    return sampler
