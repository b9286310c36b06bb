"""Who does the work of a run: the part of a study recipe that changes no result."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Workers(BaseModel):
    """Who does the work of a run; nothing of it changes a result.

    Attributes:
        jobs: Worker processes; of a Dask cluster all where it is 1.
        backend: ``loky`` (processes on this machine) or ``dask`` (a cluster).
        scheduler: Address of the Dask scheduler, such as ``tcp://10.0.0.1:8786``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    jobs: Annotated[int, Field(ge=1, le=10_000)] = 1
    backend: Literal["loky", "dask"] = "loky"
    scheduler: str = ""

    @model_validator(mode="after")
    def _a_cluster_has_an_address(self) -> Self:
        if (self.backend == "dask") != bool(self.scheduler):
            raise ValueError("'scheduler' goes with backend = \"dask\", and is required by it")
        return self
