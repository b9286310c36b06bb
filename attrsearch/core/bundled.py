"""Where the data that ships with attrsearch lies: recipes, weights, the sample.

Installed from a wheel they are inside the package (``attrsearch/bundled``); in a checkout or an
editable install they are the top-level folders themselves, read live.
"""

from importlib.resources import files
from pathlib import Path

from attrsearch.core.errors import AttrsearchError, RecipeError, did_you_mean


def bundled(folder: str) -> Path:
    """The bundled folder of that name (``objectives``, ``studies`` or ``models``).

    >>> (bundled("studies") / "per_identity.toml").is_file()
    True
    """
    package = Path(str(files("attrsearch")))
    inside = package / "bundled" / folder
    return inside if inside.is_dir() else package.parent / folder


def find_recipe(name: str, folder: str, error: type[AttrsearchError] = RecipeError) -> Path:
    """Resolve a recipe: a bare name is bundled, anything with a separator or ``.toml`` is a path.

    Args:
        name: What the user typed.
        folder: The bundled folder to look in: ``studies``, ``studies/spaces``, ``objectives`` or
            ``models/recipes``.
        error: The kind of error to raise.

    Raises:
        AttrsearchError: No such file, or no bundled recipe of that name; the known names are
            listed.
    """
    kinds = {
        "studies": "study",
        "studies/spaces": "space",
        "objectives": "objective",
        "models/recipes": "training",
        "gates": "gate",
    }
    kind = kinds[folder]

    if "/" in name or "\\" in name or name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise error(
                name, required=f"a {kind} recipe file", found="no such file", hint="check the path"
            )

        return path

    known = {path.stem: path for path in bundled(folder).glob("*.toml")}
    if name not in known:
        raise error(
            name or "(empty)",
            required=f"a bundled {kind} or a path to a .toml file",
            found="neither",
            hint=did_you_mean(name, known),
        )

    return known[name]
