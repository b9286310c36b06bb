"""Inversion attacks: get the original back, then match it with originals."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, l1_loss

from attrsearch.core.chunks import slices
from attrsearch.core.device import exact_device
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import in_parallel, network
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.editing.blending import face_mask
from attrsearch.editing.editor import Editor
from attrsearch.evaluation.attacks.editing import Attacker, as_faces, edit_usual_crops
from attrsearch.evaluation.attacks.scene import Scene, against_originals
from attrsearch.evaluation.metrics.anonymity import Figures
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, WINDOW_SIZE
from attrsearch.faces.dataset import Picture
from attrsearch.faces.sampling import sampling_grid, similarity_inverse
from attrsearch.training.loss_networks import IdentityLoss

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

TIMES = ("once", "twice", "three times")
"""How often the negated set is applied."""
STEPS = 300
BATCH = 16
CHUNK = 32


def negation(scene: Scene, attacker: Attacker) -> list[Figures]:
    """The negated set of the right person, applied one to three times to the protected face.

    The attacker is given which set it was: who has the file but not the name has to try all of
    them.
    """
    records = attacker.records(scene.cohort)
    windows = scene.look.windows.copy()
    landmarks = scene.look.landmarks.copy()
    result = []

    for times in TIMES:
        for person, record in records.items():
            mine = np.flatnonzero(scene.owners == person)
            faces = as_faces(windows[mine], landmarks[mine])
            undone, kept = (
                attacker.edit(faces, -record.attributes.passes[None]) if len(mine) else (None, mine)
            )

            if undone is not None and len(kept):
                windows[mine[kept]] = undone[0]

        found = scene.embed(windows, scene.rows)
        result += against_originals(scene, "inversion", f"negated set, {times}", found)

    return result


class Undo(nn.Module):
    """A small network that takes an edited crop (n, 3, 128, 128), -1 to 1, back.

    What it adds, learnt.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [_block(3, width), _block(width, width * 2), _block(width * 2, width * 4)]
        )
        self.middle = _block(width * 4, width * 4, stride=1)
        self.up = nn.ModuleList(
            [_rise(width * 4, width * 2), _rise(width * 4, width), _rise(width * 2, width)]
        )
        self.last = nn.Conv2d(width + 3, 3, 3, 1, 1)

    def forward(self, faces: Tensor) -> Tensor:
        """The crops before the edit, as far as can be told."""
        skips = [faces]
        x = faces

        for layer in self.down:
            x = layer(x)
            skips.append(x)

        x = self.middle(x)
        for layer, skip in zip(self.up, (None, skips[2], skips[1]), strict=True):
            x = layer(x if skip is None else torch.cat([x, skip], 1))

        # an edit leaves most of a face alone: what it changed is easier to learn than the whole
        added: Tensor = self.last(torch.cat([x, skips[0]], 1))
        return faces + added


def learnt(
    scene: Scene,
    editor: Editor,
    sets: Floats,
    crops: Tensor,
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress[Step] = silent,
) -> list[Figures]:
    """A network trained to undo edits on other people's pictures, then used on the protected ones.

    Args:
        scene: Originals and protected faces.
        editor: The editor of the export.
        sets: (k, passes, 13), edits to learn from: those of the export.
        crops: (n, 3, 128, 128), -1 to 1, of other people.
        steps: Of training.
        seed: Of training.
        progress: Told of the stage ``attack``, by steps.

    Raises:
        InputError: Too few pictures to learn from.
    """
    trained = train_undo(editor, sets, crops, steps=steps, seed=seed, progress=progress)
    windows = undo(trained, scene.look.windows, scene.look.landmarks)
    return against_originals(scene, "inversion", "learnt network", scene.embed(windows, scene.rows))


def train_undo(
    editor: Editor,
    sets: Floats,
    crops: Tensor,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
    progress: Progress[Step] = silent,
) -> Undo:
    """Train on pairs of edited and untouched crops: L1, and the distance of their SFace embeddings.

    Args:
        editor: Makes the edits.
        sets: (k, passes, 13), drawn from.
        crops: (n, 3, 128, 128), -1 to 1, drawn from.
        steps: Of training.
        batch: Crops a step.
        seed: Of the draws and of the network.
        progress: Told of the stage ``attack``, by steps.

    Raises:
        InputError: Fewer crops than a batch.
    """
    if len(crops) < batch:
        hint = "give a larger folder of other people with --train"
        raise InputError(
            "inversion", required=f"at least {batch} pictures", found=f"{len(crops)}", hint=hint
        )

    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    where = exact_device()
    model = Undo().to(where).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=2e-3, total_steps=max(steps, 2)
    )
    judge = IdentityLoss(device=where)

    for step in range(steps):
        chosen = crops[torch.from_numpy(generator.integers(0, len(crops), batch))].to(where)
        drawn = sets[generator.integers(0, len(sets), batch)]
        # what inference mode made has no gradients; a copy may
        edited = edit_usual_crops(editor, chosen, drawn).clone()
        back = model(edited.contiguous(memory_format=torch.channels_last))

        with torch.no_grad():
            aim = judge.embed(chosen)

        distance = (judge.embed(back) - aim).square().sum(1).mean()
        loss = l1_loss(back, chosen) + 0.5 * distance
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        progress(Step(stage="attack", count=step + 1, total=steps))

    return model.eval()


def undo(model: Undo, windows: Picture, landmarks: Floats) -> Picture:
    """Windows (n, 192, 192, 3) with the guess blended in at the faces' landmarks (n, 5, 2)."""
    where = next(model.parameters()).device
    mask = torch.from_numpy(np.array(face_mask()))[None, None].to(where)

    @network
    def one(part: slice) -> Picture:
        before = torch.from_numpy(windows[part]).to(where).permute(0, 3, 1, 2).float()
        to_crop = similarity_inverse(landmarks[part], CROP_TEMPLATE)  # crop to window
        crops = grid_sample(
            before,
            sampling_grid(
                torch.from_numpy(to_crop).to(where), CROP_SIZE, (WINDOW_SIZE, WINDOW_SIZE)
            ),
            padding_mode="border",
            align_corners=False,
        )
        back = model((crops / 127.5 - 1).contiguous(memory_format=torch.channels_last)).clamp(-1, 1)
        forward = _inverse(to_crop)
        grid = sampling_grid(
            torch.from_numpy(forward).to(where), WINDOW_SIZE, (CROP_SIZE, CROP_SIZE)
        )
        layer = grid_sample((back + 1) * 127.5, grid, padding_mode="border", align_corners=False)
        weight = grid_sample(mask.expand(len(back), -1, -1, -1), grid, align_corners=False)
        blended = torch.lerp(before, layer, weight).round().clamp(0, 255)

        return np.asarray(blended.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())

    parts = slices(len(windows), CHUNK)
    return np.concatenate(in_parallel(one, parts))


def _inverse(matrices: Floats) -> Floats:
    """Inverses of transforms (n, 2, 3)."""
    square = np.concatenate(
        [matrices, np.tile(np.array([[[0, 0, 1]]], np.float32), (len(matrices), 1, 1))], 1
    )
    return np.asarray(np.linalg.inv(square.astype(np.float64))[:, :2], np.float32)


def _block(channels: int, out: int, stride: int = 2) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1), nn.GroupNorm(4, out), nn.SiLU())


def _rise(channels: int, out: int) -> nn.Sequential:
    up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(up, nn.Conv2d(channels, out, 3, 1, 1), nn.GroupNorm(4, out), nn.SiLU())
