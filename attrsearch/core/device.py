"""The device that networks compute on, in torch's words, and how precisely.

A network is sent there once, when it is loaded; what it is given follows, and what leaves the room
of networks is on the processor again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from attrsearch.core.compute import absent, computing
from attrsearch.core.parallel import threads
from attrsearch.core.precision import Precision, choose_dtype

CPU = torch.device("cpu")
MEMORY_SHARE = 0.5
"""Of a GPU's memory, what batches may fill; the rest is for weights and for torch itself."""
LARGEST_BATCH = 1024


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name.

    Args:
        name: ``auto`` takes a GPU (CUDA) where there is one, else Apple's, else the processor.

    Raises:
        UnavailableError: The one that was asked for is not there.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    kind, _, number = name.partition(":")

    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if _mps() else "cpu"
    elif (kind == "cuda" and not torch.cuda.is_available()) or (kind == "mps" and not _mps()):
        raise absent(name, f"none with torch {torch.__version__}")

    if number and int(number) >= torch.cuda.device_count():
        raise absent(name, f"{torch.cuda.device_count()} of them, counted from 0")

    return torch.device(f"{kind}:{number}" if number else kind)


def device() -> torch.device:
    """The device networks are sent to: what :func:`attrsearch.core.compute.compute_with` was told.

    Raises:
        UnavailableError: It is not there.
    """
    # its providers have the device; what they are given and give is on the processor
    if computing().engine == "onnxruntime":
        return CPU

    chosen = choose_device(computing().device)

    if chosen.type == "cuda":
        # the same algorithm every time, and float32 where float32 is asked for
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = False

    return chosen


def exact_device() -> torch.device:
    """The device for what needs float64 or samples beyond borders, which Apple's GPUs cannot do.

    There it is the processor, elsewhere that of the networks.
    """
    chosen = device()
    return CPU if chosen.type == "mps" else chosen


def dtype_on(where: torch.device, precision: Precision = "auto") -> torch.dtype:
    """What convolutions compute in.

    ``auto`` is bfloat16 where the device multiplies it itself, else float32.

    >>> dtype_on(torch.device("cpu"), "bf16")
    torch.bfloat16
    """
    # its files are exported in it
    if computing().engine == "onnxruntime":
        return torch.float32

    if where.type == "cuda" and precision == "auto":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    elif where.type == "mps" and precision == "auto":
        precision = "fp32"

    return choose_dtype(precision)


def batch_size(usual: int, bytes_each: int, where: torch.device) -> int:
    """How many items a batch has: the usual number on the processor, what memory allows on a GPU.

    Args:
        usual: On the processor, whose cache it fits.
        bytes_each: Memory that an item takes at most.
        where: The device.

    Returns:
        On a GPU a power of two, at most 1,024, of which all threads together fill half its memory.
    """
    memory = _memory(where)
    if memory is None:
        return usual

    fits = int(memory * MEMORY_SHARE / threads() / bytes_each)
    return min(LARGEST_BATCH, 1 << max(0, fits.bit_length() - 1))


def described() -> str:
    """The device in a few words, for the record of a run.

    >>> described().split(":")[0].split()[0] in ("auto", "cpu", "cuda", "mps")
    True
    """
    if computing().engine == "onnxruntime":
        return f"{computing().device} (ONNX Runtime)"

    where = device()
    if where.type != "cuda":
        return str(where)

    return f"{where} ({torch.cuda.get_device_name(where)})"


def fast(where: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which convolutions compute in ``dtype``."""
    return torch.autocast(where.type, dtype=torch.bfloat16, enabled=dtype is torch.bfloat16)


@contextmanager
def seeded(where: torch.device, seed: int) -> Iterator[None]:
    """A context in which layers that draw without a generator (dropout) follow from a seed."""
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _mps() -> bool:
    return torch.backends.mps.is_available()


def _memory(where: torch.device) -> int | None:
    """Bytes of a GPU's memory; None of the processor, whose is shared with everything else."""
    if where.type == "cuda":
        return int(torch.cuda.get_device_properties(where).total_memory)

    return int(torch.mps.recommended_max_memory()) if where.type == "mps" else None
