"""What cannot be done is refused before anything heavy is loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from attrsearch.cli.early import new_file, new_folder
from attrsearch.core.errors import OutputError
from tests.clips import textured, write_clip
from tests.report.synthetic import write_run

LOOP = """
import contextlib, io, json, sys
from attrsearch.cli.main import main
found = []
HEAVY = {"torch", "onnx", "torchvision"}
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(words)
    found.append([code, said.getvalue(), sorted(HEAVY & set(sys.modules))])
print(json.dumps(found))
"""

# words of a command line, and what the one line on stderr has; {x} are places of the fixture
CASES = [
    ("run {faces} --out {file}", "needs a folder, found a file"),
    ("run {faces} --out {file}/run", "needs a place to write to, found Not a directory"),
    ("run {faces} --out {run}", "needs an empty or new folder, found a run"),
    ("run {faces} --out {faces}", "needs an empty or new folder, found other files"),
    ("run {faces} --out {new} --study quik", "did you mean quick?"),
    ("run {faces} --out {new} --objective utility", "did you mean utility_product?"),
    ("run {faces} --out {new} --space thesis", "did you mean thesis10?"),
    ("run {faces} --out {new} --recogniser sfase", "did you mean sface?"),
    ("run {faces} --out {new} --editor anonymizer", "did you mean anonymiser?"),
    ("run {faces} --out {new} --editor gone.safetensors", "gone.safetensors: needs a readable"),
    ("run {faces} --out {new} --surrogate gone", "gone: needs a pooled model"),
    ("run {faces} --out {new} --person Zoe", "needs a person named Zoe, found 1 people"),
    ("run {faces} --out {new} --shard 5/4", "needs a part such as 1/4"),
    ("run {faces} --out {new} --metrics {file}/m", "needs a place to write to"),
    ("run {faces} --out {new} --encrypt --key gone.key", "gone.key: needs a file with a key"),
    ("run {empty} --out {new}", "needs pictures of people, found none"),
    ("run {faces} --out {new} --device gpu", "auto, cpu, cuda, cuda:N or mps"),
    ("run {faces} --out {new} --device mps", "--device mps: needs one of Apple's GPUs"),
    ("apply {faces} --attributes {sets} --out {new} --device cuda:x", "auto, cpu, cuda,"),
    ("apply {faces} --attributes {file} --out {new}", "needs an attributes file"),
    ("apply {faces} --attributes {sets} --out {file}", "needs a folder, found a file"),
    ("apply {faces} --attributes {sets} --out {new} --person Zoe", "found no Zoe; it has Person"),
    ("apply {picture} --attributes {sets} --out {folder}/a.txt", "found .txt"),
    ("apply {picture} --attributes {sets} --out {picture}", "found one of the input pictures"),
    ("apply {film} --attributes {sets} --out {folder}/a.xyz", "needs a video that can be written"),
    ("apply {film} --attributes {sets} --out {film}", "needs an output that is not the input"),
    ("apply {film} --attributes {sets} --out {new}.mp4 --match gone", "gone: needs a folder of"),
    ("apply {film} --attributes {sets} --out {new}.mp4 --recogniser x", "needs a known recogniser"),
    ("apply {film} --attributes {sets} --out {new}.mp4 --ledger {file}/l", "needs a place to"),
    ("anonymise {faces} --study quik", "did you mean quick?"),
    ("anonymise {faces} --out {faces}", "found one of the input pictures"),
    ("anonymise {faces} --out {new} --run {folder}", "needs a new or empty folder for the search"),
    ("anonymise {film} --study quik", "did you mean quick?"),
    ("anonymise {film} --editor anonymizer", "did you mean anonymiser?"),
    ("anonymise {film} --editor {stages}", "nobody: needs bundled editor weights or a path"),
    ("anonymise {film} --editor {exchanged}", "found anonymiser, an AttGAN editor, as the first"),
    ("anonymise {faces} --editor gone.safetensors", "gone.safetensors: needs a readable"),
    ("anonymise {film} --out {folder}/a.xyz", "needs a video that can be written"),
    ("anonymise {film} --recogniser sfase", "did you mean sface?"),
    ("export {run} --out {file}/sets.json", "needs a place to write to"),
    ("export {run} --out {folder}", "needs a file to write, found a folder"),
    ("report {run} --out {file}/r.html", "needs a place to write to"),
    ("report {run} --against {empty}", "needs a run (run.toml)"),
    ("report {run} --ledger gone", "gone: needs a ledger"),
    ("dashboard {run} --optuna --out {file}/o.db", "needs a place to write to"),
    ("merge {run} --out {file}", "needs a folder, found a file"),
    ("evaluate {faces} gone", "gone: needs a folder of protected pictures"),
    ("evaluate {faces} {faces} --judge dlip", "needs a known recogniser"),
    (
        "evaluate {faces} {faces} --judge gone.onnx",
        "gone.onnx: needs a face embedder in an ONNX file",
    ),
    ("evaluate {faces} {faces} --out {file}/e.json", "needs a place to write to"),
    ("evaluate {faces} {faces} --run {empty}", "needs a run (run.toml)"),
    ("evaluate {faces} {faces} --gate gone.toml", "gone.toml"),
    ("attack naive {faces} gone", "gone: needs a folder of protected pictures"),
    ("attack averaging {faces} {faces} --out {file}/a.json", "needs a place to write to"),
    ("attack parrot {faces} {faces} --attributes {sets} --space x", "needs a bundled"),
    ("attack inversion {faces} {faces} --attributes {file}", "needs an attributes file"),
    ("attack linking {faces} {faces} --second gone gone", "gone: needs a folder of pictures"),
    ("calibrate {faces} --out {new}", "needs at least 142 people"),
    ("calibrate {faces} --out {new} --recogniser sfase", "did you mean sface?"),
    ("calibrate {faces} --out {file}/c.json", "needs a place to write to"),
    ("demo --out {file}", "needs a folder, found a file"),
    ("bench --picture gone.png", "gone.png: needs a readable picture"),
    ("grade {empty}", "needs a run (run.toml)"),
    ("train prepare gone --out {new}", "gone: needs a folder of pictures"),
    ("train prepare-tight {faces} --out {file}", "needs a folder, found a file"),
    ("train attributes gone --out {new}", "gone: needs prepared faces"),
    ("train attributes {faces} --out {new} --recipe trait", "did you mean traits?"),
    ("train editor {faces} --out {new} --resume", "needs a checkpoint, found no such file"),
    ("train editor {faces} --out {new} --start thesys", "did you mean thesis?"),
    ("train critic {faces} --out {file}/x", "needs a place to write to"),
    ("train parsing gone --out {new}", "gone: needs prepared faces"),
    ("train restoring {faces} --out {new} --recipe x", "needs a bundled"),
    ("train evaluate basse --faces {faces}", "did you mean base?"),
    ("train surrogate {empty} --out {new}", "needs a run (run.toml)"),
    ("train accuracy traits --faces gone", "gone: needs prepared faces"),
    ("train truths gone --faces {faces}", "gone: needs weights of a critic"),
    ("train judge {run} --judge dlip", "needs a known recogniser"),
    ("reproduce table-4.2 gone", "gone: needs a folder of people"),
    ("reproduce table-4.2 {faces} --out {new}.pdf", "needs a name that ends in .md"),
    ("reproduce search-study gone --out {new}", "gone: needs a folder of people"),
    ("reproduce streets --attributes {file}", "needs an attributes file"),
    ("models fetch attgan", "attgan needs --from PATH"),
]


@pytest.fixture(scope="module")
def places(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("early")
    (root / "faces" / "cadet").mkdir(parents=True)
    picture = root / "faces" / "cadet" / "a.jpg"
    picture.write_bytes((sample / "cadet" / "cadet_1.jpg").read_bytes())
    (root / "empty").mkdir()
    (root / "folder").mkdir()
    (root / "folder" / "mine.txt").write_text("mine")
    (root / "file").write_text("mine")
    stages = root / "stages.toml"
    head = 'format = "attrsearch/editor"\nversion = 1\n'
    stages.write_text(head + 'first = "nobody"\nsecond = "anonymiser"\n')
    exchanged = root / "exchanged.toml"
    exchanged.write_text(head + 'first = "anonymiser"\nsecond = "restoring"\n')
    run = write_run(root / "run", 4, 30, pictures=False)
    film = write_clip(root / "film.mp4", textured(4))
    return {
        **{name: root / name for name in ("faces", "empty", "folder", "file", "new")},
        **{"picture": picture, "run": run, "film": film, "sets": run / "attributes.json"},
        "stages": stages,
        "exchanged": exchanged,
    }


@pytest.fixture(scope="module")
def answers(places: dict[str, Path]) -> list[tuple[int, str, list[str]]]:
    """Code, what was said, and what was loaded by then, of all cases in one process."""
    lines = [[word.format(**places) for word in words.split()] for words, _ in CASES]
    before = sorted(places["faces"].parent.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", LOOP], input=json.dumps(lines), capture_output=True, text=True,
        check=True, cwd=places["empty"],
    )  # fmt: skip
    assert sorted(places["faces"].parent.rglob("*")) == before  # nothing was written
    found = json.loads(done.stdout.splitlines()[-1])
    return [(code, said, loaded) for code, said, loaded in found]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[words for words, _ in CASES])
def test_it_is_refused_in_one_line_without_loading_torch(
    answers: list[tuple[int, str, list[str]]], number: int
) -> None:
    code, said, loaded = answers[number]
    assert code == 2, said
    assert CASES[number][1] in said
    assert len(said.strip().splitlines()) == 1
    assert loaded == []


def test_a_place_that_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    new_file(tmp_path / "a" / "b" / "c.json", (".json",))
    new_folder(tmp_path / "a" / "b")
    new_file(None)
    new_folder(None)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_only_looks_like_one_is_found_out() -> None:
    with pytest.raises(OutputError, match="needs a place to write to"):
        new_file(Path("/proc/nothing/here.json"))
