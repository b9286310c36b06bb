"""A second engine for networks: ONNX Runtime, with whatever providers it has here.

Networks are written as ONNX files from the weights that torch loads (``attrsearch models export``,
or by themselves when they are first asked for), and are called with tensors of the processor as
torch's modules are.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from attrsearch.core.compute import absent, computing, onnx_folder
from attrsearch.core.errors import WeightsError
from attrsearch.core.files import write_text, written
from attrsearch.core.weights import file_sha256

Run = Callable[..., Any]
"""A network: tensors to a tensor, or to a tuple of them."""
FORMAT = "attrsearch/onnx-network"
OPSET = 17
PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""What ONNX Runtime calls what computes, in the order of ``auto``."""


def on_engine(
    module: nn.Module,
    name: str,
    sha256: str,
    examples: Sequence[Tensor],
    moving: Mapping[int, str] | None = None,
) -> Run:
    """A network as the engine runs it that was asked for.

    Args:
        module: Frozen, in evaluation mode, float32 where it is exported.
        name: What its file is called.
        sha256: Of its weights: other weights are another file.
        examples: What it is called with, for the export.
        moving: The sides of every input that may change from call to call; the first, the number of
            items, where it is None.

    Returns:
        The module itself, or what calls ONNX Runtime.

    Raises:
        WeightsError: The file is damaged, or cannot be run.
        OutputError: It cannot be written.
    """
    if computing().engine == "torch":
        return module

    # written once for all runs: an export takes longer than a short search
    path = onnx_folder() / f"{name}-{sha256[:12]}.onnx"
    if not path.is_file():
        _export(module, path, sha256, tuple(examples), dict(moving or {0: "n"}))

    return OnnxNetwork(path)


class OnnxNetwork:
    """A network that ONNX Runtime runs, on one thread a call; several calls at once are fine.

    Args:
        path: Its ONNX file; its hash stands beside it.

    Raises:
        WeightsError: It is damaged, or ONNX Runtime cannot run it.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - an extra, refused before where it is not there

        _verify(path)
        options = onnxruntime.SessionOptions()
        # our own threads call it side by side: threads of its own would get in their way
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # errors alone: of what it can do without, it would warn at every start
        options.log_severity_level = 3
        providers = choose_providers(computing().device, onnxruntime.get_available_providers())

        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers)
        # onnxruntime's own errors have no public base
        except Exception as error:
            found = str(error).splitlines()[0][:120]
            hint = "type --engine torch, or remove the file"
            raise WeightsError(
                path, required="a network that ONNX Runtime can run", found=found, hint=hint
            ) from error

        self._names = [item.name for item in self._session.get_inputs()]
        self.providers: list[str] = self._session.get_providers()

    def __call__(self, *inputs: Tensor) -> Any:
        """The outputs for inputs on the processor: a tensor, or a tuple of them."""
        arrays = [value.float().contiguous().numpy() for value in inputs]
        outputs = self._session.run(None, dict(zip(self._names, arrays, strict=True)))
        found = tuple(torch.from_numpy(value) for value in outputs)

        return found[0] if len(found) == 1 else found


def choose_providers(device: str, offered: Sequence[str]) -> list[str | tuple[str, dict[str, int]]]:
    """ONNX Runtime's providers for a device, the one that computes first.

    Args:
        device: As ``--device`` names it; ``auto`` takes the best that is offered.
        offered: What ONNX Runtime has here.

    Raises:
        UnavailableError: The one that was asked for is not offered.

    >>> choose_providers("auto", ["OpenVINOExecutionProvider", "CPUExecutionProvider"])
    ['OpenVINOExecutionProvider', 'CPUExecutionProvider']
    """
    last = PROVIDERS["cpu"]
    if device == "auto":
        return [name for name in PROVIDERS.values() if name in offered]
    if device == "cpu":
        return [last]

    kind, _, number = device.partition(":")
    wanted = PROVIDERS[kind]
    if wanted not in offered:
        raise absent(device, f"none for ONNX Runtime, which offers {', '.join(offered)}")

    return [(wanted, {"device_id": int(number)}) if number else wanted, last]


def _export(
    module: nn.Module,
    path: Path,
    sha256: str,
    examples: tuple[Tensor, ...],
    moving: dict[int, str],
) -> None:
    """Write a network as an ONNX file, and beside it what it is."""
    inputs = [f"input_{number}" for number in range(len(examples))]
    # the exporter leaves a module in the mode it was in, and so its parts
    plain = module.eval().to(memory_format=torch.contiguous_format)

    with torch.no_grad():
        made = plain(*examples)
        count = len(made) if isinstance(made, tuple) else 1
        outputs = [f"output_{number}" for number in range(count)]

        with written(path) as part, warnings.catch_warnings():
            # the exporter that needs no further package is on its way out
            warnings.simplefilter("ignore")
            torch.onnx.export(
                plain,
                examples,
                str(part),
                dynamo=False,
                opset_version=OPSET,
                input_names=inputs,
                output_names=outputs,
                dynamic_axes=dict.fromkeys((*inputs, *outputs), moving),
            )

    about = {"format": FORMAT, "version": 1, "weights": sha256, "sha256": file_sha256(path)}
    write_text(_beside(path), json.dumps(about) + "\n")


def _verify(path: Path) -> None:
    """Check a file against the hash that stands beside it."""
    beside = _beside(path)

    try:
        about = json.loads(beside.read_text(encoding="utf-8"))
        expected = str(about["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"remove {path.name}; it is written again"
        raise WeightsError(
            beside, required=f"the hash of {path.name}", found=str(error)[:80], hint=hint
        ) from error

    found = file_sha256(path)
    if found != expected:
        hint = "remove it; it is written again"
        required = f"SHA-256 {expected[:16]}…"
        raise WeightsError(path, required=required, found=f"{found[:16]}…", hint=hint)


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")
