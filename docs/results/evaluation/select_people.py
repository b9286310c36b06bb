"""Copy the people of docs/results/evaluation.md: python select_people.py lfw.

``originals/`` gets the first three pictures of the first 100 held-out people (SHA-1 of the name
begins with 0, 1 or 2) with three pictures or more, in the order of their hash; ``distractors/`` one
picture each of 400 other held-out people.
"""

import hashlib
import shutil
import sys
from pathlib import Path


def digest(name: str) -> str:
    """Decides who is held out, and the order."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def copy(person: str, count: int, target: Path) -> None:
    """Copy a person's first pictures."""
    (target / person).mkdir(parents=True)
    for path in sorted((FACES / person).glob("*.jpg"))[:count]:
        shutil.copy(path, target / person)


FACES = Path(sys.argv[1])
held = sorted((p.name for p in FACES.iterdir() if digest(p.name)[0] in "012"), key=digest)
chosen = [name for name in held if len(list((FACES / name).glob("*.jpg"))) >= 3][:100]
for name in chosen:
    copy(name, 3, Path("originals"))
for name in [name for name in held if name not in chosen][:400]:
    copy(name, 1, Path("distractors"))
