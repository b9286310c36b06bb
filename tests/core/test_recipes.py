"""Recipes: bundled ones load, wrong ones end in one line that names the key."""

from pathlib import Path

import pytest

from attrsearch.core.attributes import ATTRIBUTES, GENDERS
from attrsearch.core.bundled import bundled
from attrsearch.core.errors import RecipeError
from attrsearch.core.recipes.base import TERM_NAMES
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.search.samplers import SAMPLERS
from attrsearch.search.terms import TERMS


def test_the_bundled_studies() -> None:
    names = {path.stem for path in bundled("studies").glob("*.toml")}
    assert names == {"per_identity", "footage", "random", "tpe", "cmaes", "quick", "thesis"}
    for name in names:
        study = load_study(name)
        load_space(study.space)
        load_objective(study.objective)
        assert study.sampler.name in SAMPLERS


def test_the_bundled_objectives() -> None:
    assert {path.stem for path in bundled("objectives").glob("*.toml")} == {
        "utility_product",
        "margin",
        "pareto",
        "ensemble",
        "natural",
    }
    assert load_objective("natural").uses("naturalness")
    assert not load_objective("margin").uses("naturalness")
    default = load_objective("utility_product")
    assert [constraint.above for constraint in default.constraints] == [1.4, "verification"]
    assert load_objective("margin").terms["distance"].cap == 1.4
    assert len(load_objective("pareto").maximise) == 3
    assert load_objective("ensemble").ensemble


def test_terms_of_recipes_are_the_registered_ones() -> None:
    assert set(TERM_NAMES) == set(TERMS)


@pytest.mark.parametrize("name", ["thesis10", "full13", "asymmetric"])
def test_two_pass_spaces_mirror_the_gendered_attributes(name: str) -> None:
    space = load_space(name)
    for attribute in ATTRIBUTES:
        low, high = space.male[attribute]
        gendered = attribute in ("Male", "Mustache", "No_Beard")
        assert space.female[attribute] == ((-high, -low) if gendered else (low, high))
    assert space.male["Male"] == (-1.1, -0.1)
    assert space.male["No_Beard"] == (0.1, 1.1)
    assert space.male["Pale_Skin"] == (-0.8, 0.8)
    assert space.male["Bald"] == (0, 0)


def test_free_attributes_of_the_presets() -> None:
    free = {
        name: sum(low < high for low, high in load_space(name).bounds(GENDERS[0]))
        for name in ("thesis10", "full13", "asymmetric", "one-pass")
    }
    assert free == {"thesis10": 10, "full13": 12, "asymmetric": 12, "one-pass": 12}


def test_one_pass_keeps_the_gender() -> None:
    space = load_space("one-pass")
    assert space.male["Male"][0] > 0
    assert space.female["Male"][1] < 0
    assert space.female["Mustache"][1] <= 0
    assert space.female["No_Beard"][0] >= 0


STUDY = 'format = "attrsearch/study"\nversion = 1\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (STUDY + "trails = 10\n", "unknown key 'trails'; remove it or mend its spelling"),
        (STUDY + "trials = 0\n", "trials: needs a valid value"),
        (STUDY + 'trials = "many"\n', "trials: needs a valid value"),
        (STUDY + "heldback = 1.0\n", "heldback: needs a valid value"),
        (STUDY + '[sampler]\nname = "grid"\n', r"sampler\.name: needs a valid value"),
        ("version = 1\n", "format: needs a valid value .* found nothing"),
        ('format = "attrsearch/study"\nversion = 2\n', "version: needs a valid value"),
        (STUDY + "trials = \n", "needs valid TOML"),
        ("a = " + "[" * 5000, "needs valid TOML"),
        ("#" * 200_000, "at most 100000 bytes"),
    ],
)
def test_bad_studies(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=line) as caught:
        load_study(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="needs valid TOML"):
        load_study(str(path))


def test_unknown_names() -> None:
    with pytest.raises(RecipeError, match="did you mean per_identity"):
        load_study("per_identiy")
    with pytest.raises(RecipeError, match="needs a space recipe file, found no such file"):
        load_space("nowhere/space.toml")


def test_changes_are_checked_too() -> None:
    assert load_study("quick", trials=7, seed=None).trials == 7
    assert load_study(load_study("quick"), trials=9).trials == 9
    with pytest.raises(RecipeError, match="trials"):
        load_study("quick", trials=-1)


def space_text(**changes: str) -> str:
    bounds = dict.fromkeys(ATTRIBUTES, "[-1.0, 1.0]") | changes
    table = "".join(f"{name} = {value}\n" for name, value in bounds.items() if value)
    head = 'format = "attrsearch/space"\nversion = 1\npasses = "single"\n'
    return f"{head}[male]\n{table}[female]\n{table}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            space_text(Young="[-3.0, 1.0]"),
            r"male\.Young\.0: needs a valid value .*greater than or equal to -2",
        ),
        (space_text(Young="[1.0, -1.0]"), "the low bound 1.0 is above the high bound -1.0"),
        (space_text(Young=""), r"missing \['Young'\]"),
        (space_text(Old="[0.0, 1.0]"), r"unknown \['Old'\]"),
        (space_text(Young="[nan, 1.0]"), "needs a valid value"),
    ],
)
def test_bad_spaces(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=line):
        load_space(str(path))


OBJECTIVE = 'format = "attrsearch/objective"\nversion = 1\n'
GOAL = '[[maximise]]\nname = "u"\nproduct = ["iou"]\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (OBJECTIVE, "maximise"),
        (OBJECTIVE + '[[maximise]]\nname = "u"\nproduct = ["beauty"]\n', "product"),
        (OBJECTIVE + GOAL + GOAL, "goals need different names"),
        (OBJECTIVE + GOAL + '[terms.iou]\naggregate = "quantile"\n', "'quantile' goes with"),
        (
            OBJECTIVE + GOAL + '[[constraints]]\nterm = "iou"\nabove = "verification"\n',
            "'distance' only",
        ),
        (OBJECTIVE + GOAL + '[[constraints]]\nterm = "iou"\nabove = inf\n', "finite number"),
    ],
)
def test_bad_objectives(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "objective.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=line):
        load_objective(str(path))
