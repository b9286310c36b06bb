"""What a user of Optuna attaches to the studies of a run: a sampler, callbacks, a storage.

Every person has a study of their own: a sampler is copied for each, or made from the person's seed.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from attrsearch.core.errors import InputError
from attrsearch.core.parallel import without_warnings

if TYPE_CHECKING:
    from attrsearch.search.config import RunOptions

SamplerFactory = Callable[[int], BaseSampler]
Callback = Callable[[optuna.Study, FrozenTrial], None]

MARK = "attrsearch_run"
"""User attribute of a study in a user's storage: the run it belongs to."""


@dataclass(frozen=True)
class Hooks:
    """What of Optuna a run uses besides its recipes.

    Attributes:
        sampler: A sampler, of which every study gets a copy, or what makes one from a person's
            seed; the recipe's where it is None.
        callbacks: Called after every measured trial, as by ``Study.optimize``; one that calls
            ``study.stop()`` ends that person's search.
        storage: Where the studies are kept; in memory where it is None.
        run: What the studies are marked with.
        identity: Whose study it is.
    """

    sampler: BaseSampler | SamplerFactory | None = None
    callbacks: tuple[Callback, ...] = ()
    storage: BaseStorage | None = None
    run: str = ""
    identity: str = ""

    def of(self, identity: str) -> "Hooks":
        """The same for one person."""
        return replace(self, identity=identity)

    @property
    def sampler_name(self) -> str:
        """The class or function of the user's sampler; empty without one."""
        if self.sampler is None:
            return ""
        if isinstance(self.sampler, BaseSampler):
            return type(self.sampler).__name__

        return str(getattr(self.sampler, "__qualname__", type(self.sampler).__name__))

    def make_sampler(self, seed: int) -> BaseSampler | None:
        """A person's own sampler, or None where the recipe says which.

        Raises:
            InputError: The factory made no sampler.
        """
        if self.sampler is None:
            return None
        if isinstance(self.sampler, BaseSampler):
            # samplers remember what they drew: one for everybody would make people depend on each
            # other
            return copy.deepcopy(self.sampler)

        made = self.sampler(seed)
        if not isinstance(made, BaseSampler):
            raise InputError(
                "sampler",
                required="an Optuna sampler, or a function that makes one from a seed",
                found=f"a {type(made).__name__} from {self.sampler_name}",
                hint="give for example lambda seed: optuna.samplers.TPESampler(seed=seed)",
            )

        return made

    def create_study(
        self, directions: Sequence[StudyDirection], sampler: BaseSampler, suffix: str = ""
    ) -> optuna.Study:
        """A person's study, in the storage under the person's name and the suffix.

        A study of this name that the same run left unfinished is begun anew.

        Raises:
            InputError: The storage has somebody else's study of this name.
        """
        if self.storage is None:
            return optuna.create_study(directions=directions, sampler=sampler)

        name = self.identity + suffix
        # what a stopped run left unfinished is searched from its start: the person is the unit of
        # resuming
        self._make_room(self.storage, name)
        study = optuna.create_study(
            study_name=name, storage=self.storage, directions=directions, sampler=sampler
        )
        study.set_user_attr(MARK, self.run)

        return study

    def _make_room(self, storage: BaseStorage, name: str) -> None:
        for earlier in optuna.get_all_study_summaries(storage, include_best_trial=False):
            if earlier.study_name != name:
                continue

            if earlier.user_attrs.get(MARK) != self.run:
                raise InputError(
                    f"study {name}",
                    required="a storage without another study of this name",
                    found="one that this run did not make",
                    hint="give another storage, or delete that study with optuna.delete_study",
                )

            optuna.delete_study(study_name=name, storage=storage)


NO_HOOKS = Hooks()


def take_hooks(options: "RunOptions", out: Path) -> Hooks:
    """What the keywords of ``attrsearch.run`` say of Optuna, taken out of them.

    Args:
        options: The keywords; ``sampler``, ``callbacks`` and a ``storage`` that is an object are
            taken, an address stays.
        out: The run's folder, for the mark of its studies.

    Raises:
        InputError: A sampler that is none.
    """
    sampler = options.pop("sampler", None)
    callbacks = tuple(options.pop("callbacks", ()))
    storage = options.get("storage")
    kept = None

    if isinstance(storage, BaseStorage):
        kept = storage
        del options["storage"]

    if sampler is not None and not isinstance(sampler, BaseSampler) and not callable(sampler):
        raise InputError(
            "sampler",
            required="an Optuna sampler, or a function that makes one from a seed",
            found=f"a {type(sampler).__name__}",
            hint="give for example optuna.samplers.TPESampler(seed=0)",
        )

    # a run is known by its folder
    mark = hashlib.sha256(str(out.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Hooks(sampler, callbacks, kept, mark)


def refuse_memory(hooks: Hooks) -> None:
    """Refuse a storage that worker processes cannot share.

    Raises:
        InputError: It is in memory.
    """
    if isinstance(hooks.storage, InMemoryStorage):
        raise InputError(
            "storage",
            required="a storage that worker processes share",
            found="one in memory",
            hint="give an RDBStorage or a JournalStorage, or leave jobs at 1",
        )


def stoppable(study: optuna.Study, callbacks: Sequence[Callback], trial: FrozenTrial) -> bool:
    """Call back after a trial, and say whether one of the callbacks stopped the study.

    ``Study.stop`` works inside ``Study.optimize`` only, and trials that are measured in batches are
    asked for and told.
    """
    if not callbacks:
        return False

    asked: list[bool] = []
    # an attribute of the object stands before the method of its class
    study.stop = lambda: asked.append(True)  # type: ignore[method-assign]

    try:
        with without_warnings(optuna.exceptions.ExperimentalWarning):
            for callback in callbacks:
                # a callback may change what it is given
                callback(study, copy.deepcopy(trial))
    finally:
        del study.stop

    return bool(asked)
