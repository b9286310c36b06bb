"""The bundled sample: three people of four pictures each.

``astronaut`` is Eileen Collins in NASA's public-domain portrait, as scikit-image carries it, in
four views; ``pilot`` and ``cadet`` do not exist: they are that portrait after our own editor.
"""

from importlib.resources import files
from pathlib import Path


def sample_folder() -> Path:
    """The folder of the sample, one sub-folder a person.

    >>> folders = [path.name for path in sample_folder().iterdir() if path.is_dir()]
    >>> sorted(name for name in folders if name[0] != "_")
    ['astronaut', 'cadet', 'pilot']
    """
    return Path(str(files("attrsearch.core.sample")))
