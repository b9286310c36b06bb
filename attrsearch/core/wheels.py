"""Find data files of installed packages without importing those packages."""

from importlib.util import find_spec
from pathlib import Path

from attrsearch.core.errors import UnavailableError


def wheel_file(package: str, name: str) -> Path:
    """Path of a data file inside an installed package.

    >>> wheel_file("facenet_pytorch", "data/pnet.pt").name
    'pnet.pt'

    Raises:
        UnavailableError: The package or the file is not there.
    """
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []

    for folder in folders:
        path = Path(folder) / name
        if path.is_file():
            return path

    found = "the package without that file" if folders else "no such package"
    raise UnavailableError(
        f"{package}/{name}",
        required="the file of that package",
        found=found,
        hint=f"pip install {package}",
    )
