"""The learners behind one small interface: XGBoost, and scikit-learn's MLP and Gaussian process.

All run on one thread with a seed, so that what is predicted for a person depends on nothing else.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Floats64 = npt.NDArray[np.float64]


class Regressor(Protocol):
    """Learns several targets at once."""

    def fit(self, inputs: Floats64, targets: Floats64, start: Floats64 | None = None) -> Self:
        """Learn.

        Args:
            inputs: (n, d).
            targets: (n, k).
            start: (n, k), an earlier model's prediction to correct; the mean of the targets where
                it is None.
        """
        ...

    def predict(self, inputs: Floats64, start: Floats64 | None = None) -> Floats64:
        """Predict (n, k); ``start`` where the fit had one."""
        ...

    def relative_std(self, inputs: Floats64) -> Floats64:
        """How little is known of each input, (n,), from 0 to 1.

        1 everywhere from a learner that cannot say.
        """
        ...


class XGBoost:
    """Gradient-boosted trees.

    Args:
        seed: Of the row samples.
        rounds: Trees a target.
        depth: Of the trees.
        rate: Learning rate.
        penalty: L2 on the leaves.
        share: Of the rows and columns that each tree sees.
    """

    def __init__(
        self,
        seed: int,
        rounds: int = 40,
        depth: int = 3,
        rate: float = 0.15,
        penalty: float = 3.0,
        share: float = 1.0,
    ) -> None:
        self._rounds = rounds
        self._settings: dict[str, Any] = {
            "objective": "reg:squarederror",
            "tree_method": "hist",
            "max_bin": 64,
            "max_depth": depth,
            "eta": rate,
            "lambda": penalty,
            "subsample": share,
            "colsample_bytree": share,
            "seed": seed % 2**31,
            "nthread": 1,
            # the mean is taken off before: XGBoost would add one of its own
            "base_score": 0.0,
            "verbosity": 0,
        }
        self._booster: Any = None
        self._centre: Floats64 = np.zeros(0)
        self._scale: Floats64 = np.zeros(0)

    def fit(self, inputs: Floats64, targets: Floats64, start: Floats64 | None = None) -> Self:
        """Learn; see :class:`Regressor`."""
        import xgboost  # noqa: PLC0415 - only where it learns

        rest = targets - (targets.mean(0) if start is None else start)
        self._centre = targets.mean(0)
        # a target that never varied would be divided by nothing
        self._scale = np.maximum(rest.std(0), 1e-6)
        table = xgboost.DMatrix(inputs, label=rest / self._scale, nthread=1)
        self._booster = xgboost.train(self._settings, table, self._rounds)

        return self

    def predict(self, inputs: Floats64, start: Floats64 | None = None) -> Floats64:
        """Predict; see :class:`Regressor`."""
        rest = np.asarray(self._booster.inplace_predict(inputs), np.float64).reshape(
            len(inputs), -1
        )
        return rest * self._scale + (self._centre if start is None else start)

    def relative_std(self, inputs: Floats64) -> Floats64:
        """Trees cannot say."""
        return np.ones(len(inputs))


class Mlp:
    """A perceptron with the thesis's hidden layers (4.3.1), inputs and targets scaled."""

    def __init__(self, seed: int, layers: tuple[int, ...] = (10, 20, 40, 20, 20)) -> None:
        from sklearn.neural_network import MLPRegressor  # noqa: PLC0415 - only where it learns

        self._network = MLPRegressor(
            hidden_layer_sizes=layers, alpha=1e-2, max_iter=400, random_state=seed % 2**31
        )
        self._inputs: tuple[Floats64, Floats64] = (np.zeros(0), np.ones(0))
        self._targets: tuple[Floats64, Floats64] = (np.zeros(0), np.ones(0))

    def fit(self, inputs: Floats64, targets: Floats64, start: Floats64 | None = None) -> Self:
        """Learn; see :class:`Regressor`."""
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - only where it learns

        rest = targets if start is None else targets - start
        self._inputs = inputs.mean(0), np.maximum(inputs.std(0), 1e-6)
        self._targets = rest.mean(0), np.maximum(rest.std(0), 1e-6)

        # one thread, so that sums are made in one order and results repeat
        with warnings.catch_warnings(), _threads().limit(limits=1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            scaled = _scaled(rest, self._targets)
            self._network.fit(
                _scaled(inputs, self._inputs), scaled if scaled.shape[1] > 1 else scaled[:, 0]
            )

        return self

    def predict(self, inputs: Floats64, start: Floats64 | None = None) -> Floats64:
        """Predict; see :class:`Regressor`."""
        with _threads().limit(limits=1):
            raw = self._network.predict(_scaled(inputs, self._inputs)).reshape(len(inputs), -1)

        rest = np.asarray(raw * self._targets[1] + self._targets[0])
        return rest if start is None else rest + start

    def relative_std(self, inputs: Floats64) -> Floats64:
        """Nor can networks."""
        return np.ones(len(inputs))


class GaussianProcess:
    """A Gaussian process with a fixed kernel: the learner for a handful of trials.

    The inputs are meant to be scaled to [0, 1].  Length scale and noise are those that predicted
    the trials of people left out best (docs/results/search.md); fitting them to a few trials of one
    person would only add noise.
    """

    LENGTH = 1.0
    NOISE = 0.3

    def __init__(self, seed: int) -> None:
        # only where it learns
        from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: PLC0415
        from sklearn.gaussian_process.kernels import RBF  # noqa: PLC0415

        self._process = GaussianProcessRegressor(
            RBF(self.LENGTH), alpha=self.NOISE, optimizer=None, random_state=seed % 2**31
        )
        self._centre: Floats64 = np.zeros(0)
        self._scale: Floats64 = np.zeros(0)

    def fit(self, inputs: Floats64, targets: Floats64, start: Floats64 | None = None) -> Self:
        """Learn; see :class:`Regressor`."""
        self._centre = targets.mean(0)
        rest = targets - (self._centre if start is None else start)
        self._scale = np.maximum(rest.std(0), 1e-6)

        with _threads().limit(limits=1):
            self._process.fit(inputs, rest / self._scale)

        return self

    def predict(self, inputs: Floats64, start: Floats64 | None = None) -> Floats64:
        """Predict; see :class:`Regressor`."""
        with _threads().limit(limits=1):
            rest = np.asarray(self._process.predict(inputs)).reshape(len(inputs), -1)

        return rest * self._scale + (self._centre if start is None else start)

    def relative_std(self, inputs: Floats64) -> Floats64:
        """Standard deviation of what is predicted, as a share of what it was before any trial."""
        with _threads().limit(limits=1):
            spread = np.asarray(self._process.predict(inputs, return_std=True)[1])

        return spread.reshape(len(inputs), -1)[:, 0]


REGRESSORS: dict[str, Callable[[int], Regressor]] = {
    "gp": GaussianProcess,
    "xgboost": XGBoost,
    "mlp": Mlp,
}


@cache
def _threads() -> ThreadpoolController:
    """Finding the libraries takes longer than a prediction: once is enough."""
    return ThreadpoolController()


def _scaled(values: Floats64, by: tuple[Floats64, Floats64]) -> Floats64:
    return (values - by[0]) / by[1]
