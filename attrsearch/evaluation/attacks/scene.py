"""What every attack starts from.

Originals, what was made of them, and judges' embeddings of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.evaluation.faces import Cohort, DetectedFaces, detect_again
from attrsearch.evaluation.judges import HeldOutRecogniser
from attrsearch.evaluation.metrics.anonymity import (
    Figures,
    Standard,
    far_name,
    identification_figures,
    measure_originals,
    spread_out,
)
from attrsearch.evaluation.metrics.identification import Gallery, identify
from attrsearch.evaluation.metrics.verification import accept_rate, protected_pairs
from attrsearch.evaluation.pairing import Protection
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detector

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """Originals and protected faces.

    Attributes:
        cohort: The originals.
        protection: What was made of them.
        look: The protected faces as the detector sees them.
        detector: Finds faces in windows.
        judges: Recognisers the attacker may use.
        standards: Judge to what it makes of the originals.
        embeddings: Judge to (m, d), of the protected faces.
    """

    cohort: Cohort
    protection: Protection
    look: DetectedFaces
    detector: Detector
    judges: tuple[HeldOutRecogniser, ...]
    standards: Mapping[str, Standard]
    embeddings: Mapping[str, Floats]

    @property
    def rows(self) -> Ints:
        """The original of each protected face, (m,)."""
        return self.protection.rows

    @property
    def owners(self) -> Ints:
        """The person of each protected face, (m,)."""
        return self.cohort.owners[self.rows]

    def embed(self, windows: Picture, rows: Ints) -> dict[str, Floats]:
        """Find and embed faces in windows (k, 192, 192, 3) made from those originals (k,)."""
        look = detect_again(windows, self.cohort.look.take(rows), self.detector)
        return look.embed_by(self.judges)


def open_scene(
    cohort: Cohort,
    protection: Protection,
    judges: Sequence[HeldOutRecogniser],
    detector: Detector,
    distractors: Mapping[str, Floats] | None = None,
) -> Scene:
    """Embed originals and protected faces."""
    # the attacker has the protected pictures only, and finds faces in them as anybody does
    look = detect_again(protection.windows, cohort.look.take(protection.rows), detector)
    standards = {}
    embeddings = {}

    for judge in judges:
        originals = cohort.look.embed(judge.recogniser)
        others = (distractors or {}).get(judge.name, np.zeros((0, originals.shape[1]), np.float32))
        standards[judge.name] = measure_originals(originals, cohort.owners, others, judge.scale)
        embeddings[judge.name] = look.embed(judge.recogniser)

    return Scene(cohort, protection, look, detector, tuple(judges), standards, embeddings)


def against_originals(
    scene: Scene,
    attack: str,
    variant: str,
    probes: Mapping[str, Floats],
    *,
    distractors: bool = True,
) -> list[Figures]:
    """Match probes, made from the protected faces in their order, with a gallery of the originals.

    Args:
        scene: Where.
        attack: Its name.
        variant: And which.
        probes: Judge to (m, d).
        distractors: Whether the gallery holds those too.
    """
    rows = []

    for judge in scene.judges:
        standard = scene.standards[judge.name]
        gallery = Gallery(standard.embeddings, standard.owners)
        gallery = gallery.with_distractors(standard.distractors) if distractors else gallery
        figures = identification_figures(
            "", identify(probes[judge.name], scene.owners, gallery, scene.rows)
        )
        pairs = protected_pairs(
            probes[judge.name], standard.embeddings, standard.owners, scene.rows
        )

        for far, threshold in standard.thresholds.items():
            figures |= spread_out(f"tar_{far_name(far)}", accept_rate(pairs, threshold))

        rows.append(row(scene, attack, variant, judge, figures))

    return rows


def row(
    scene: Scene, attack: str, variant: str, judge: HeldOutRecogniser, figures: Figures
) -> Figures:
    """One line of an attack."""
    head: Figures = {
        "attack": attack,
        "variant": variant,
        "protection": scene.protection.name,
        "judge": judge.name,
        "unseen": judge.unseen,
    }
    return head | figures


def naive(scene: Scene) -> list[Figures]:
    """The attacker has a gallery of originals, and nothing else."""
    return against_originals(scene, "naive", "gallery of originals", scene.embeddings)
