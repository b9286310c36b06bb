"""A second device without a GPU.

Tensors there hold real numbers, and may not meet those of the processor.

What CUDA refuses is refused: operands on two devices, ``numpy()``, a generator of another device.
What it allows is allowed: copies, scalars of the processor in pointwise operations, indices from
the processor.  Autograd is torch's own. It stands for torch's *lazy* device, whose backward pass
runs in the caller's thread and which needs no driver.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

PRETENDED = torch.device("lazy", 0)
COPIES = {torch.ops.aten.copy_.default}
INDEXED = {
    torch.ops.aten.index.Tensor,
    torch.ops.aten.index_put_.default,
    torch.ops.aten._index_put_impl_.default,
}


class Far(Tensor):
    """A tensor on the pretended device; ``near`` is the one that holds its numbers."""

    near: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, near: Tensor) -> "Far":
        made: Far = Tensor._make_wrapper_subclass(
            cls,
            near.size(),
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            layout=near.layout,
            device=PRETENDED,
        )
        made.near = near
        return made

    @classmethod
    def __torch_dispatch__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(function, args, kwargs or {})

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Far({self.near})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A checkpoint is read onto the processor wherever it was written."""
        return self.near.detach().__reduce_ex__(protocol)

    def tolist(self) -> Any:
        """Its numbers; torch refuses it to any subclass."""
        return self.cpu().tolist()


class _Pretend(TorchDispatchMode):
    """Sends to :func:`_run` what no argument shows to be of the pretended device.

    Transfers, and new tensors.
    """

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(function, args, kwargs or {})


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do it on the processor, after what CUDA would have checked."""
    leaves = tree_leaves((args, kwargs))
    far = [value for value in leaves if isinstance(value, Far)]
    asked = kwargs.get("device")
    there = bool(far) if asked is None else torch.device(asked).type == PRETENDED.type
    if far:
        _check(
            function,
            args,
            [value for value in leaves if isinstance(value, Tensor) and not isinstance(value, Far)],
        )
    if there and any(isinstance(value, torch.Generator) for value in leaves):
        raise RuntimeError(
            f"{function}: expected a generator of the pretended device, found the processor's"
        )
    if asked is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    result = function(
        *tree_map_only(Far, lambda value: value.near, args), **tree_map_only(Far, _near, kwargs)
    )
    if function in COPIES:
        return args[0]
    if not there:
        return result
    known = {
        id(value.near): value for value in far
    }  # what works in place gives back the tensor itself
    return tree_map_only(
        Tensor, lambda value: known[id(value)] if id(value) in known else Far(value), result
    )


def _near(value: Far) -> Tensor:
    return value.near


def _check(function: Any, args: Any, others: list[Tensor]) -> None:
    if torch.Tag.pointwise in function.tags:
        others = [value for value in others if value.dim()]
    if function in COPIES or (function in INDEXED and isinstance(args[0], Far)):
        others = []
    if others:
        raise RuntimeError(
            f"{function}: expected all tensors to be on the same device, found the processor's, too"
        )


@contextmanager
def pretended() -> Iterator[torch.device]:
    """A context in which there is the second device.

    There, autocast does nothing, and inference mode is no more than no gradients.
    """
    real = torch.autocast

    def autocast(kind: str, **options: Any) -> Any:
        return nullcontext() if kind == PRETENDED.type else real(kind, **options)

    lifted = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(
        True
    )  # or numbers given in Python reach the device without asking the mode
    try:
        with pytest.MonkeyPatch.context() as patch, _Pretend():
            patch.setattr(torch, "autocast", autocast)
            # subclasses cannot be viewed in inference mode, which is there for speed only
            patch.setattr(torch._C, "_InferenceMode", lambda _: torch.no_grad())
            yield PRETENDED
    finally:
        torch._C._set_only_lift_cpu_tensors(lifted)
