"""Whether what is to be evaluated is there: all that is known before anything is loaded."""

from collections.abc import Sequence
from pathlib import Path

from attrsearch.core.errors import InputError
from attrsearch.faces.images import SUFFIXES


def check_places(
    originals: Path,
    protected: Sequence[Path],
    further: Path | None = None,
    ledger: Path | None = None,
) -> None:
    """Say what is not there before hours are spent on what is.

    Args:
        originals: A folder of pictures or a video.
        protected: Of the same kind.
        further: A folder of further people.
        ledger: Of a video's protection.

    Raises:
        InputError: One does not exist, or is of another kind.
    """
    if not originals.exists():
        hint = "check the path"
        raise InputError(
            originals, required="a folder of pictures or a video", found="nothing there", hint=hint
        )

    pictures = originals.is_dir()
    for path in protected:
        if pictures and not path.is_dir():
            found = "a file" if path.exists() else "no such folder"
            hint = "give a folder with the same sub-folders and file names as the originals"
            raise InputError(
                path, required="a folder of protected pictures", found=found, hint=hint
            )

        if pictures and not any(item.suffix.lower() in SUFFIXES for item in path.rglob("*")):
            hint = "protect the same folder: attrsearch apply ORIGINALS --out PROTECTED"
            raise InputError(
                path, required="a folder of protected pictures", found="no picture in it", hint=hint
            )

        if not pictures and not path.is_file():
            found = "a folder" if path.exists() else "no such file"
            hint = f"give the video that was made of {originals.name}"
            raise InputError(path, required="a protected video", found=found, hint=hint)

    if ledger is not None and (pictures or not ledger.is_file()):
        found = "two folders of pictures" if pictures else "no such ledger"
        hint = "give the ledger that attrsearch wrote with the protected video"
        raise InputError(ledger, required="two videos and their ledger", found=found, hint=hint)

    if further is not None and not further.is_dir():
        hint = "give a folder with one sub-folder of pictures a person"
        found = "a file" if further.exists() else "no such folder"
        raise InputError(further, required="a folder of people", found=found, hint=hint)
