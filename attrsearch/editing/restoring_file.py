"""The file of a restoring editor.

Its network, the face parsing it was trained with, and what stands beside them.

Both networks lie in one file, so that its hash decides every edit.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from attrsearch.core.errors import WeightsError
from attrsearch.core.weights import load_about, load_tensors
from attrsearch.editing.installed import Located
from attrsearch.editing.kinds import RESTORING
from attrsearch.editing.restoring import RestoringConfig, RestoringNetwork
from attrsearch.faces.alignment import TIGHT_TEMPLATE, transform, zoom
from attrsearch.faces.parsing import ParsingNetwork

Floats = npt.NDArray[np.float32]

VERSION = 1
PARSING = "parsing."
"""What the names of face parsing's tensors begin with."""
HINT = "give the file weights.safetensors that attrsearch train restoring wrote"


@dataclass(frozen=True)
class Restoring:
    """A restoring editor's networks in evaluation mode, and where they came from.

    Attributes:
        name: What recipes and commands call it.
        sha256: Of its file.
        network: Restores faces.
        parsing: Finds landmarks and visible skin.
        template: (5, 2), where the landmarks lie in its crop, in pixels.
    """

    name: str
    sha256: str
    network: RestoringNetwork
    parsing: ParsingNetwork
    template: Floats


def described(config: RestoringConfig) -> dict[str, object]:
    """What stands beside the weights of an editor for tight crops."""
    template = transform(zoom(config.size), TIGHT_TEMPLATE)
    return {
        "kind": RESTORING,
        "version": VERSION,
        "template": template.round(4).tolist(),
        **asdict(config),
    }


def packed(network: Mapping[str, Tensor], parsing: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file: those of the network, and those of face parsing by longer names."""
    return {**network, **{PARSING + name: value for name, value in parsing.items()}}


def restoring_of(where: Located) -> Restoring:
    """The restoring editor of a file.

    Raises:
        WeightsError: Nothing stands beside its weights, it is of another version, or they do not
            belong together.
    """
    path = where.path
    config, template = _described(path, load_about(path))
    state = {}
    for name, value in load_tensors(path).items():
        # the file has half precision to be half as large; a processor computes slowly in it
        state[name] = value.float() if value.is_floating_point() else value

    mine = {name: value for name, value in state.items() if not name.startswith(PARSING)}
    found = {}
    for name, value in state.items():
        if name.startswith(PARSING):
            found[name.removeprefix(PARSING)] = value

    if not found:
        raise WeightsError(
            path, required="face parsing beside the editor", found="the editor alone", hint=HINT
        )

    network = RestoringNetwork(config)
    parsing = ParsingNetwork()
    _fill(path, network, mine)
    _fill(path, parsing, found)

    return Restoring(where.name, where.sha256, network, parsing, template)


def _described(path: Path, about: Mapping[str, object]) -> tuple[RestoringConfig, Floats]:
    """Configuration and template of a file, checked."""
    required = f"the description of a restoring editor of version {VERSION}"
    if about.get("kind") != RESTORING or about.get("version") != VERSION:
        found = f"kind {about.get('kind')}, version {about.get('version')}" if about else "none"
        raise WeightsError(path, required=required, found=found, hint=HINT)

    given = {
        name: about[name]
        for name in ("size", "superpixels", "spread", "widths", "condition", "rim")
        if name in about
    }
    widths = given.get("widths")
    template = np.array(_rows(about.get("template")), np.float32)
    whole = [given.get(name) for name in ("size", "superpixels", "condition")]
    whole += widths if isinstance(widths, list) else [None]
    good = all(type(value) is int and 0 < value <= 1024 for value in whole)
    good = good and isinstance(given.get("spread"), float) and template.shape == (5, 2)
    rim = given.get("rim", 0.0)
    good = good and isinstance(rim, float) and 0 <= rim <= 0.25
    good = good and bool(np.isfinite(template).all()) and 1 < len(whole) - 3 < 7
    if not good or whole[0] % 16 or not 64 <= whole[0] <= 512:  # type: ignore[operator]
        raise WeightsError(path, required=required, found=str(given)[:120], hint=HINT)

    given["widths"] = tuple(widths)  # type: ignore[arg-type]
    return RestoringConfig(**given), template  # type: ignore[arg-type]


def _rows(value: object) -> list[list[float]]:
    """Pairs of numbers as they should be, or none."""
    rows = value if isinstance(value, list) else []

    for row in rows:
        if not isinstance(row, list) or len(row) != 2:
            return []

        if not all(isinstance(number, int | float) for number in row):
            return []

    return rows


def _fill(path: Path, network: nn.Module, state: Mapping[str, Tensor]) -> None:
    try:
        network.load_state_dict(dict(state))
    except RuntimeError as error:
        required = f"the weights of a {type(network).__name__} as its description says"
        found = str(error).splitlines()[-1].strip()
        raise WeightsError(path, required=required, found=found, hint=HINT) from error

    network.eval().requires_grad_(False)
