"""Print the tables of docs/results/evaluation.md and their verdicts.

Python table.py EVALUATION.json...
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LABELS = {
    "original": "original",
    "blur5": "blur, radius 5",
    "blur8": "blur, radius 8",
    "pixelate8": "pixelate, 8 across",
    "mask": "mask",
    "thesis": "random set, two passes, editor `thesis`",
    "random": "random set, two passes, editor `base`",
    "onepass": "anonymiser, random set, one pass",
    "product": "attrsearch `utility_product`",
    "product_all": "  … best set of all 100",
    "ensemble": "attrsearch `ensemble`",
    "ensemble_all": "  … best set of all 100",
}
BASELINES = ("blur5", "blur8", "pixelate8", "mask", "thesis", "random")
JUDGES = {"dlib": "dlib", "sface": "SFace", "faceres": "VGGFace2 MobileNet", "gabor-lda": "Gabor"}
USED = {
    "product": {"sface"},
    "product_all": {"sface"},
    "ensemble": {"sface", "dlib"},
    "ensemble_all": {"sface", "dlib"},
}
"""Whom the search used; the anonymiser was trained against SFace, too."""

Row = Mapping[str, Any]
files = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
judged = {(row["protection"], row["judge"]): row for data in files for row in data["judges"]}
kept = {row["protection"]: row for data in files for row in data["protections"]}
names = [name for name in LABELS if name in kept]
judges = [name for name in JUDGES if ("original", name) in judged]


def text(value: float | None, digits: int = 3) -> str:
    """A number, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def interval(row: Row, name: str) -> str:
    """A value and its interval."""
    return f"{text(row[name])} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def line(cells: list[str]) -> None:
    """A row of a Markdown table."""
    print("| " + " | ".join(cells) + " |")


def head(cells: list[str]) -> None:
    """The first two rows of a Markdown table."""
    line(cells)
    line(["---"] * len(cells))


head(
    [
        "rank-1",
        *(JUDGES[judge] for judge in judges),
        "recall MTCNN",
        "recall YuNet",
        "IoU MTCNN",
        "natural",
    ]
)
for name in names:
    row = kept[name]
    rates = [interval(judged[name, judge], "rank1") for judge in judges]
    found = [
        interval(row, "recall_mtcnn"),
        text(row["recall_yunet"]),
        text(row["iou_mtcnn"]),
        text(row["naturalness"]),
    ]
    line([LABELS[name], *rates, *found])
print()
head(["TAR at FAR 1e-3 / parrot rank-1", *(JUDGES[judge] for judge in judges)])
for name in names:
    cells = [
        (judged[name, judge].get("tar_1e-3"), judged[name, judge]["parrot_rank1"])
        for judge in judges
    ]
    line([LABELS[name], *(f"{text(tar)} / {text(parrot)}" for tar, parrot in cells)])
print()
columns = [
    "precision MTCNN",
    "IoU YuNet",
    "landmarks",
    "yaw, pitch, roll (°)",
    "eyes, mouth",
    "gender",
    "skin ΔE",
    "drift",
]
head(["kept", *columns, "FID", "KID", "distance dlib, SFace"])
for name in names:
    row = kept[name]
    turned = ", ".join(text(row.get(f"{axis}_change"), 1) for axis in ("yaw", "pitch", "roll"))
    shapes = ", ".join(text(row.get(f"{part}_kept"), 2) for part in ("eyes", "mouth"))
    first = [
        text(row["precision_mtcnn"]),
        text(row["iou_yunet"]),
        text(row["landmark_error"]),
        turned,
        shapes,
    ]
    rest = [
        text(row["gender_kept"]),
        text(row["skin_tone_change"], 1),
        text(row["attribute_drift"]),
        text(row["fid"], 2),
    ]
    far = ", ".join(
        text(judged[name, judge]["distance"], 2) for judge in ("dlib", "sface") if judge in judges
    )
    line([LABELS[name], *first, *rest, text(row["kid"], 3), far])
print()
head(["judge", "genuine", "impostor", "TAR at 1e-2, 1e-3, 1e-4", "rank-1 of 500", "chance"])
for row in files[0]["originals"]:
    own = judged["original", row["judge"]]
    rates = ", ".join(text(own.get(f"tar_{far}")) for far in ("1e-2", "1e-3", "1e-4"))
    spread = [
        f"{row[f'{kind}_mean']:.3f} ± {row[f'{kind}_std']:.3f}" for kind in ("genuine", "impostor")
    ]
    chances = [judged[name, row["judge"]]["chance1"] for name in names if name != "original"]
    chance = f"{min(chances):.3f} to {max(chances):.3f}" if chances else "–"
    line([JUDGES[row["judge"]], *spread, rates, text(own["rank1"]), chance])
print()
for name in (name for name in names if name in USED):
    run = LABELS[name.partition("_")[0]]
    print(f"{run}{'' if LABELS[name] == run else LABELS[name]}:", end="\n\n")
    unseen = [judge for judge in judges if judge not in USED[name]]
    for judge in unseen:
        for editor, other in (("thesis", "thesis"), ("base", "random")):
            ours, random = judged[name, judge]["rank1"], judged[other, judge]["rank1"]
            verdict = "met" if ours <= random / 5 else "missed"
            what = f"a fifth of random's with {editor} {random / 5:.4f}"
            print(f"- rank-1 by {JUDGES[judge]} {ours:.3f}, {what}: {verdict}")
    for eye in ("mtcnn", "yunet"):
        ours, original = kept[name][f"recall_{eye}"], kept["original"][f"recall_{eye}"]
        print(
            f"- recall by {eye} {ours:.3f} of {original:.3f}: "
            f"{'met' if ours >= 0.98 * original else 'missed'}"
        )
    for judge in unseen:
        ours, found = judged[name, judge]["rank1"], kept[name]["recall_mtcnn"]
        theirs = {
            other: (judged[other, judge]["rank1"], kept[other]["recall_mtcnn"])
            for other in BASELINES
        }
        beyond = [
            LABELS[other]
            for other, (rank1, recall) in theirs.items()
            if rank1 <= ours and recall >= found
        ]
        short = [
            LABELS[other]
            for other, (rank1, recall) in theirs.items()
            if rank1 < ours or recall >= found
        ]
        verdict = f"missed: {', '.join(beyond)}" if beyond else "met"
        print(
            f"- no baseline is identified as little by {JUDGES[judge]} and found as often by "
            f"MTCNN: {verdict}"
        )
        verdict = f"not {', '.join(short)}" if short else "met"
        print(f"  - stricter, found more and identified no more than each of them: {verdict}")
    print()
