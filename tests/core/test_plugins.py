"""Plug-ins: the example package by its entry points, by value, in recipes and commands, and broken ones."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from optuna.samplers import BaseSampler, RandomSampler

import attrsearch
from attrsearch.cli.main import cli
from attrsearch.core import plugins
from attrsearch.core.errors import AttrsearchError, RecipeError, UnavailableError
from attrsearch.core.recipes.objective import Aggregation, load_objective
from attrsearch.core.recipes.study import PreFilter, Sampler, load_study
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.filters import cover
from attrsearch.evaluation.judges import load_judges
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.load import load_network
from attrsearch.runs.export import export_run
from attrsearch.runs.metadata import read_run
from attrsearch.search.evaluator import apply_prefilter
from attrsearch.search.objective import aggregate
from attrsearch.search.run import run
from attrsearch.search.samplers import make_sampler
from attrsearch.search.terms import FaceScores, term_values
from tests.report.synthetic import write_run

EXAMPLE = Path(__file__).parents[2] / "examples" / "attrsearch-haar"
OBJECTIVE = """
format = "attrsearch/objective"
version = 1
[[maximise]]
name = "worst_face"
product = ["kept", "distance"]
[terms.kept]
aggregate = "min"
[[constraints]]
term = "kept"
above = 0.1
"""


def install(folder: Path, package: str, points: dict[str, dict[str, str]]) -> None:
    """What an installer leaves of a package: a dist-info folder with its entry points."""
    info = folder / f"{package.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n")
    lines = []
    for group, own in points.items():
        lines.append(f"[{group}]")
        lines += [f"{name} = {place}" for name, place in own.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_values", {})
    monkeypatch.setattr(plugins, "_loaded", {})


@pytest.fixture
def haar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example package, as if it were installed."""
    about = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    install(tmp_path / "site", about["name"], about["entry-points"])
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.usefixtures("haar")
def test_the_example_is_listed() -> None:
    done = CliRunner().invoke(cli, ["plugins", "--check"])
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows == [
        ["detector", "haar", "attrsearch-haar", "0.1.0"],
        ["term", "kept", "attrsearch-haar", "0.1.0"],
    ]


@pytest.mark.usefixtures("haar")
def test_a_run_with_the_example(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "worst.toml"
    recipe.write_text(OBJECTIVE)
    study = load_study("quick", recogniser="sface", max_faces=2)
    out = tmp_path / "run"
    result = run(
        sample, out, study=study, detector="haar", objective=str(recipe), trials=3, people=["pilot"]
    )
    assert not result.failed
    assert read_run(out)["models"]["detector"]["name"] == "haar"
    assert read_run(out)["settings"]["plugins"] == [
        "detector haar (of attrsearch-haar 0.1.0)",
        "term kept (of attrsearch-haar 0.1.0)",
    ]
    trials = pd.read_parquet(out / "trials.parquet")
    assert len(trials) == 3
    assert (trials["detection"] > 0).any()


@pytest.mark.usefixtures("haar")
def test_the_example_keeps_its_contracts(pytestconfig: pytest.Config) -> None:
    from attrsearch_haar.detector import Haar
    from attrsearch_haar.terms import kept

    from attrsearch import testing

    for contract, made in ((testing.DetectorContract, Haar(24)), (testing.TermContract, kept)):
        check(contract, made)


def check(contract: type, made: object) -> None:
    """Every test of a contract on a plug-in."""
    own = type("TestOwn", (contract,), {"make": lambda self: made})()
    names = [name for name in dir(own) if name.startswith("test_")]
    assert len(names) >= 2
    for name in names:
        getattr(own, name)()


def test_a_recipe_names_what_is_not_there() -> None:
    with pytest.raises(RecipeError, match="a known detector; did you mean mtcnn"):
        load_study("quick", detector="mtcn")
    with pytest.raises(UnavailableError, match="did you mean yunet"):
        load_detector("yunett", 24)


class Fixed:
    """A detector of one fixed face."""

    name = "fixed"

    def detect(self, pictures: np.ndarray) -> list[Detections]:
        box = np.float32([[1, 2, 30, 40]])
        return [Detections(box, np.float32([1]), np.zeros((1, 5, 2), np.float32))] * len(pictures)


def test_by_value_a_class_or_an_object() -> None:
    attrsearch.register("detector", "fixed", lambda min_face: Fixed())
    assert load_detector("fixed", 24).name == "fixed"
    ready = Fixed()
    attrsearch.register("detector", "fixed", ready)
    assert load_detector("fixed", 24) is ready
    assert load_study("quick", detector="fixed").detector == "fixed"
    with pytest.raises(UnavailableError, match="did you mean detector"):
        attrsearch.register("detectr", "fixed", ready)


def test_built_in_names_stay_what_they_are() -> None:
    attrsearch.register("detector", "mtcnn", lambda min_face: Fixed())
    assert type(load_detector("mtcnn", 24)).__name__ == "Mtcnn"


def test_workers_are_told() -> None:
    attrsearch.register("term", "mine", lambda scores: scores.iou)
    kept = plugins.registered()
    plugins._values.clear()
    plugins.restore(kept)
    assert plugins.find("term", "mine") is not None


def scores(candidates: int = 3, faces: int = 2) -> FaceScores:
    drawn = np.random.default_rng(0).uniform(0.2, 1, (6, candidates, faces))
    return FaceScores(*drawn.astype(np.float32))


def test_terms_and_aggregations() -> None:
    attrsearch.register("term", "both", lambda s: s.iou * s.detection)
    attrsearch.register("aggregation", "middle", lambda values: np.median(values, axis=1))
    recipe = load_objective("utility_product")
    goal = recipe.maximise[0].model_copy(update={"product": ("both",)})
    terms = {"both": Aggregation(aggregate="middle")}
    recipe = recipe.model_copy(update={"maximise": (goal,), "terms": terms})
    measured = scores(faces=3)
    found = aggregate(recipe, measured)
    expected = np.median((measured.iou * measured.detection).astype(float), axis=1)
    assert found.values[:, 0] == pytest.approx(expected)


def test_a_sampler() -> None:
    def make(recipe: Sampler, seed: int) -> BaseSampler:
        return RandomSampler(seed=seed + recipe.startup)

    attrsearch.register("sampler", "mine", make)
    assert isinstance(make_sampler(Sampler(name="mine"), 3), RandomSampler)
    attrsearch.register("sampler", "mine", lambda recipe, seed: "tpe")
    with pytest.raises(
        UnavailableError, match="needs an Optuna sampler from its function, found a str"
    ):
        make_sampler(Sampler(name="mine"), 3)


def test_filters(astronaut: np.ndarray) -> None:
    attrsearch.register("prefilter", "invert", lambda crop, size: 255 - crop)
    crop = apply_prefilter(astronaut, PreFilter(kind="invert", size=1))
    assert np.array_equal(crop, 255 - astronaut)
    attrsearch.register("fallback", "black", lambda region, width: np.zeros_like(region))
    shown = astronaut.copy()
    cover(shown, np.float32([100, 100, 150, 150]), "black")
    assert not shown[105:145, 105:145].any()
    assert np.array_equal(shown[:40], astronaut[:40])
    with pytest.raises(UnavailableError, match="a known fallback"):
        cover(shown, np.float32([100, 100, 150, 150]), "blakc")


def test_recognisers_and_judges(sface: CalibratedRecogniser) -> None:
    class Mine:
        name = "mine"
        sha256 = ""

        def embed(self, *seen: np.ndarray) -> np.ndarray:
            return sface.recogniser.embed(*seen)

    attrsearch.register("recogniser", "mine", Mine)
    assert load_network("mine").name == "mine"
    attrsearch.register("judge", "mine", Mine())
    judges, _ = load_judges(["mine"], frozenset({"sface"}))
    assert judges[0].recogniser.name == "mine"


def test_an_exporter(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", 2, 5)

    def names(file: attrsearch.AttributeSet, path: Path) -> None:
        path.write_text("\n".join(person.id for person in file.identities))  # type: ignore[attr-defined]

    attrsearch.register("exporter", "names", names)
    target = tmp_path / "names.txt"
    command = [
        "export",
        str(out),
        "--format",
        "names",
        "--out",
        str(target),
        "--include-infeasible",
    ]
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert target.read_text() == "Person_0000\nPerson_0001"
    attrsearch.register("exporter", "names", lambda file, path: None)
    with pytest.raises(UnavailableError, match="a function that writes the file it is given"):
        export_run(out, target, "names")
    wrong = CliRunner().invoke(cli, ["export", str(out), "--format", "xlsx"])
    assert "'xlsx' is not one of" in wrong.output


def test_an_editor(editor: Editor) -> None:
    class Mine:
        name = "mine"

        def __getattr__(self, name: str) -> object:
            return getattr(editor, name)

    attrsearch.register("editor", "mine", Mine)
    assert load_editor("mine").size == editor.size
    with pytest.raises(AttrsearchError, match="needs bundled editor weights or a path"):
        load_editor("nobodys")


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("no_such_module:Thing", "found ModuleNotFoundError: No module named 'no_such_module'"),
        ("json:Nothing", "found AttributeError"),
        ("json:JSONDecoder", "needs what can be made, found TypeError"),
        ("json:__name__", "needs something that can be called, found a str"),
        ("types:SimpleNamespace", "needs what can be made"),
    ],
)
def test_broken_plug_ins_end_in_one_line(
    place: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "bad-package", {"attrsearch.detector": {"bad": place}})
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnavailableError, match=complaint) as caught:
        load_detector("bad", 24)
    assert "bad (of bad-package 0.1.0)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_method_that_is_not_there_is_named() -> None:
    class Blind:
        name = "blind"

    attrsearch.register("detector", "blind", lambda min_face: Blind())
    with pytest.raises(
        UnavailableError, match="needs the method or attribute 'detect', found none"
    ):
        load_detector("blind", 24)
    attrsearch.register("detector", "other", lambda min_face: Fixed())
    with pytest.raises(UnavailableError, match="needs name = 'other'"):
        load_detector("other", 24)
    attrsearch.register("term", "flat", lambda measured: measured.iou.mean(1))
    with pytest.raises(UnavailableError, match=r"needs finite values \(3, 2\) from its function"):
        term_values("flat", scores())


def test_two_packages_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("one", "two"):
        install(tmp_path / package, package, {"attrsearch.detector": {"same": "json:loads"}})
        monkeypatch.syspath_prepend(str(tmp_path / package))
    with pytest.raises(UnavailableError, match=r"found those of one 0\.1\.0 and two 0\.1\.0"):
        load_detector("same", 24)


def test_a_broken_one_is_said_by_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "bad-package", {"attrsearch.term": {"bad": "no_such_module:term"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    done = CliRunner().invoke(cli, ["plugins", "--check", "--json"])
    assert done.exit_code == 1
    assert "No module named" in done.stdout
    assert CliRunner().invoke(cli, ["plugins"]).exit_code == 0
