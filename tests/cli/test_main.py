"""The command line: exit codes, one line for every mistake, JSON for scripts."""

import json
import logging
import shutil
from pathlib import Path

import pytest

from attrsearch import __version__
from attrsearch.cli.console import print_json
from attrsearch.cli.logs import LOG, Redaction
from attrsearch.cli.main import cli, main
from attrsearch.core.recipes.study import Workers
from attrsearch.core.weights import manifest
from attrsearch.faces.recognition.calibration import LEAST_PEOPLE, load_calibration
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.search.distributed.pool import Pool


@pytest.fixture
def faces(sample: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "faces"
    shutil.copytree(sample / "cadet", folder / "cadet")
    return folder


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--help")
    assert code == 0
    for name in cli.commands:
        assert name in out
        assert call(capsys, name, "--help")[0] == 0
    assert set(cli.commands) == {
        *("run", "export", "apply", "report", "compare"),
        *("anonymise", "dashboard", "evaluate", "attack", "reproduce", "calibrate"),
        *("train", "grade", "models", "bench", "demo", "choose", "studio"),
        *("check", "merge", "scrub", "completion", "plugins"),
    }
    assert __version__ in call(capsys, "--version")[1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rnu"], "No such command 'rnu'. Did you mean 'run'? Type: attrsearch --help"),
        (["run", "faces"], "Missing option '--out'. Type: attrsearch run --help"),
        (
            ["run", "nowhere", "--out", "x", "--recogniser", "sface"],
            "nowhere: needs a folder of people",
        ),
        (["run", "f", "--out", "x", "--trials", "0"], "'--trials': 0 is not in the range x>=1"),
        (["run", "f", "--out", "x", "--study", "quik"], "did you mean quick?"),
        (["run", "f", "--out", "x", "--objective", "utility"], "did you mean utility_product?"),
        (["run", "f", "--out", "x", "--space", "thesis"], "did you mean thesis10?"),
        (["run", "f", "--out", "x", "--recogniser", "sfase"], "did you mean sface?"),
        (["run", "f", "--out", "x", "--detector", "mtcn"], "detector: needs a valid value"),
        (["run", "f", "--out", "x", "--people", "gone.txt"], "gone.txt: needs a file of names"),
        (
            ["run", "f", "--out", "x", "--calibration", "gone.json", "--recogniser", "sface"],
            "gone.json: needs a",
        ),
        (["report", "nowhere"], "nowhere: needs a run (run.toml), found none"),
        (["export", "nowhere"], "nowhere: needs a run (run.toml), found none"),
        (["compare", "nowhere"], "nowhere: needs a run (run.toml), found none"),
        (["export", "x", "--format", "xml"], "'xml' is not one of 'json', 'csv', 'parquet'"),
        (
            ["apply", "x", "--attributes", "gone.json", "--out", "y"],
            "gone.json: needs an attributes file",
        ),
        (["calibrate", "nowhere", "--out", "c.json"], "nowhere: needs a folder of people"),
        (["models", "fetch", "facenet"], "'facenet' is not one of"),
        (["bench", "--picture", "gone.png"], "gone.png: needs a readable picture"),
    ],
)
def test_wrong_use_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = call(
        capsys, *arguments, *(["--quiet"] if arguments[0] in ("run", "calibrate") else [])
    )
    assert code == 2
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("attrsearch: ")
    assert not list(tmp_path.iterdir())


def test_a_run_for_scripts(capsys: pytest.CaptureFixture[str], faces: Path, tmp_path: Path) -> None:
    (faces / "nobody").mkdir()
    (faces / "nobody" / "a.png").write_bytes(b"")
    out = tmp_path / "run"
    arguments = [
        "run",
        faces,
        "--out",
        out,
        "--study",
        "quick",
        "--trials",
        "3",
        "--recogniser",
        "sface",
    ]
    code, printed, err = call(capsys, *arguments, "--json", "--quiet")
    result = json.loads(printed)
    verdicts = {"holds", "searched_only", "not_anonymised"}
    contract = {"identities", "feasible", "failed", "evaluations", "seconds", "out"}
    assert set(result) == contract | verdicts
    assert sum(result[name] for name in (*verdicts, "failed")) == result["identities"]
    assert (result["identities"], result["failed"], result["evaluations"]) == (2, 1, 3)
    assert code == 1
    assert err == ""
    assert (out / "report.html").is_file()

    code, _, err = call(capsys, *arguments, "--resume")
    assert code == 1
    assert "failed: nobody: nobody: needs at least one picture with a face" in err
    assert "of 2 people anonymised, 3 evaluations" in err

    code, printed, _ = call(capsys, "compare", out, out)
    assert code == 0
    assert "| people | 1 | 1 |" in printed
    assert "| winners: utility |" in printed

    code, _, err = call(capsys, "export", out, "--format", "csv", "--include-infeasible")
    assert (code, "1 people in" in err) == (0, True)
    assert (
        call(capsys, "export", out, "--out", tmp_path / "all.json", "--include-infeasible")[0] == 0
    )
    assert call(capsys, "report", out, "--out", tmp_path / "page.html")[0] == 0

    code, _, err = call(
        capsys,
        "apply",
        faces,
        "--attributes",
        tmp_path / "all.json",
        "--out",
        tmp_path / "protected",
        "--quiet",
    )
    assert code == 1  # nobody's empty picture
    assert "a.png: needs a readable picture, found an empty file" in err
    assert "4 pictures written" in err
    assert len(list((tmp_path / "protected" / "cadet").glob("*.jpg"))) == 4


def test_chosen_people_and_genders(
    capsys: pytest.CaptureFixture[str], sample: Path, tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("pilot\n\ncadet\n")
    (tmp_path / "genders.csv").write_text("identity,gender\ncadet,male\n")
    code, printed, _ = call(
        capsys,
        "run",
        sample,
        "--out",
        tmp_path / "run",
        "--study",
        "quick",
        "--trials",
        "2",
        "--people",
        tmp_path / "names.txt",
        "--genders",
        tmp_path / "genders.csv",
        "--json",
        "--quiet",
        "--recogniser",
        "sface",
    )
    assert code in (0, 1)
    assert json.loads(printed)["identities"] == 2
    export = tmp_path / "all.json"
    call(capsys, "export", tmp_path / "run", "--out", export, "--include-infeasible")
    assert {person.id: person.gender for person in read_attributes(export).identities}[
        "cadet"
    ] == "male"


def test_models(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    code, out, _ = call(capsys, "models", "verify")
    assert code == 0
    assert out.count("verified") == len(manifest()) + 1
    assert "facenet: verified, sha256 704afe26" in out
    code, out, _ = call(capsys, "models", "list")
    assert code == 0
    assert "facenet            recogniser  sha256 704afe26" in out
    assert "facenet-vggface2   recogniser  not here: not in the cache" in out
    code, _, err = call(capsys, "models", "fetch", "facenet-casia")
    assert code == 2
    assert "attrsearch models fetch facenet-casia --from PATH" in err
    (tmp_path / "w.pt").write_bytes(b"no")
    code, _, err = call(capsys, "models", "fetch", "facenet-casia", "--from", tmp_path / "w.pt")
    assert code == 2
    assert "needs weights of InceptionResnetV1" in err


def test_every_bundled_model_has_a_card() -> None:
    for weights in manifest().values():
        text = weights.card.read_text()
        for word in ("Architecture", "Data", "Training", "Licence", "Measured", "Known failures"):
            assert f"## {word}" in text, f"{weights.card} lacks {word}"
        assert weights.sha256[:16] in text


def test_calibrating(capsys: pytest.CaptureFixture[str], sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.json"
    code, _, err = call(
        capsys, "calibrate", sample, "--out", out, "--recogniser", "sface", "--quiet"
    )
    assert code == 2
    assert "needs at least 142 people, for a threshold at FAR 0.001, found 3" in err
    assert not out.exists()


def test_what_a_run_would_refuse_is_not_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """People enough by their folders, most of whom turn out to have no face."""
    for number in range(LEAST_PEOPLE):
        (tmp_path / "faces" / f"p{number}").mkdir(parents=True)
        (tmp_path / "faces" / f"p{number}" / "a.png").write_bytes(b"x")
    words = ("calibrate", tmp_path / "faces", "--recogniser", "sface", "--quiet", "--out")
    whole = load_calibration("sface")
    thresholds = {far: value for far, value in whole.thresholds.items() if far == "0.01"}
    found = whole.model_copy(update={"thresholds": thresholds})
    monkeypatch.setattr("attrsearch.faces.calibrate.calibrate", lambda *_, **__: found)
    code, _, err = call(capsys, *words, tmp_path / "c.json")
    assert code == 2
    assert "needs a threshold at FAR 0.001, found thresholds at ['0.01']" in err
    assert not (tmp_path / "c.json").exists()
    monkeypatch.setattr("attrsearch.faces.calibrate.calibrate", lambda *_, **__: whole)
    code, _, err = call(capsys, *words, tmp_path / "c.json")
    assert code == 0
    assert err.count("same person") == 1
    assert load_calibration("sface", tmp_path / "c.json") == whole


@pytest.mark.slow
def test_the_bench(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "bench", "--json", "--repeats", "1")
    found = json.loads(out)
    assert code == 0
    assert found["evaluations_per_second"] > found["one_at_a_time_per_second"] > 0
    assert set(found["shares"]) == {"edit", "detect", "embed", "optimiser", "other"}
    assert sum(found["shares"].values()) == pytest.approx(1, abs=0.01)
    assert 2 < found["gflop"] < 8
    assert found["recogniser"] == "facenet"
    assert found["embedding_ms"]["facenet"] > found["embedding_ms"]["sface"] > 0


@pytest.mark.slow
def test_the_demo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = call(capsys, "demo", "--out", tmp_path / "demo", "--trials", "8", "--quiet")
    assert code in (0, 1)
    assert "of 3 people anonymised, 24 evaluations" in err
    assert (tmp_path / "demo" / "report.html").is_file()


def test_what_is_waited_for_is_said_even_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning is not shown where quiet was asked for; that nothing happens is no warning."""
    monkeypatch.setattr(LOG, "quiet", True)
    shown = Redaction()
    for level, passes in ((logging.WARNING, False), (logging.ERROR, True)):
        record = logging.LogRecord("attrsearch", level, __file__, 1, "waiting", None, None)
        assert shown.filter(record) is passes
    pool = Pool(Workers(backend="dask", scheduler="tcp://127.0.0.1:1"))
    assert pool.waiting == "waiting for a Dask scheduler with workers at tcp://127.0.0.1:1"


def test_json_is_strict() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"x": float("nan")})
