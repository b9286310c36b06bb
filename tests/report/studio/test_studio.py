"""The studio without a browser: jobs on disk, decisions, what is served, and what is refused."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from attrsearch.core.encryption import locked
from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.images import to_jpeg
from attrsearch.report.dashboard.security import Access
from attrsearch.report.studio.job import JobFolder, Options
from attrsearch.report.studio.places import read_places
from attrsearch.report.studio.server import Studio
from attrsearch.report.studio.views import JobViews
from attrsearch.report.studio.workspace import Workspace, place_in
from attrsearch.runs.people_file import (
    Part,
    PeopleFile,
    Shot,
    Somebody,
    read_people,
    text_of,
)
from tests.clips import Clip, textured, write_clip
from tests.report.studio.stand_in import FRAMES, found, start_here
from tests.report.synthetic import write_coverage

HERE = "http://127.0.0.1:8766"
TOKEN = "a token that is long enough"
OURS = {"X-Attrsearch": "1", "Origin": HERE, "Authorization": f"Bearer {TOKEN}"}
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
FILE = OURS | {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "street.mp4", textured(FRAMES))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / "studio")
    yield opened
    opened.close()


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    studio = Studio(workspace, Access("127.0.0.1", 8766, TOKEN), "ann")
    with TestClient(
        studio.application(), base_url=HERE, headers=OURS, raise_server_exceptions=False
    ) as opened:
        yield opened


def until(what: Callable[[], bool]) -> None:
    """Wait for something that a process does."""
    for _ in range(1500):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come")


def drop(client: TestClient, file: Path, name: str | None = None) -> str:
    job = client.post("/api/jobs", json={"name": file.name}).json()["id"]
    answer = client.put(
        f"/api/upload/{job}/{name or file.name}", content=file.read_bytes(), headers=FILE
    )
    assert answer.json() == {"bytes": file.stat().st_size}
    return str(job)


def decided(workspace: Workspace, clip: Path) -> JobFolder:
    """A job whose people are found, without a process."""
    job = workspace.add("street.mp4", Options())
    (job.input / "street.mp4").write_bytes(clip.read_bytes())
    job.change(kind="video", source="street.mp4", begun="find")
    (job.run / "found").mkdir(parents=True)
    (job.run / "found/people.json").write_text(text_of(found()))
    (job.path / "find.json").write_text(
        json.dumps({"pid": 1, "began": "", "ended": "x", "code": 0})
    )
    return job


def test_from_a_drop_to_a_result(
    client: TestClient, workspace: Workspace, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the runner is a process of its own: it has to find the stand-in, too
    monkeypatch.setattr(Workspace, "_start", start_here)
    job = drop(client, clip)
    assert client.get(f"/api/jobs/{job}").json()["state"] == "uploading"
    assert client.post(f"/api/jobs/{job}/do", json={"what": "begin"}).status_code == 200
    until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "deciding")
    told = client.get(f"/api/jobs/{job}").json()
    assert [person["id"] for person in told["people"]] == ["person_001", "person_002"]
    assert told["lines"] == ["hello"]
    assert "--find-only" in told["commands"]["find"]
    assert told["commands"]["anonymise"].startswith("attrsearch anonymise ")
    assert "people" not in client.get(f"/api/jobs/{job}?version={told['version']}").json()

    client.post(f"/api/jobs/{job}/ask", json={"step": "anonymise"})
    until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")
    answer = client.get(f"/download/{job}/result")
    assert answer.content == clip.read_bytes()
    part = client.get(f"/download/{job}/result", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, clip.read_bytes()[100:200])
    assert "street_anonymised.mp4" in answer.headers["content-disposition"]
    assert read_people(workspace.job(job).who) == found()
    assert not client.get(f"/api/jobs/{job}").json()["stale"]
    change = {"kind": "do", "people": ["person_002"], "do": "leave"}
    client.post(f"/api/jobs/{job}/people", json={"change": change})
    assert client.get(f"/api/jobs/{job}").json()["stale"]


def test_stopped_killed_and_gone_on(
    client: TestClient, workspace: Workspace, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "_start", start_here)
    first, second = drop(client, clip), drop(client, clip)
    hold = workspace.job(first).path / "hold"
    hold.touch()
    for job in (first, second):
        client.post(f"/api/jobs/{job}/do", json={"what": "begin"})
    until(lambda: client.get(f"/api/jobs/{first}").json()["lines"] == ["hello"])
    states = {job["id"]: job for job in client.get("/api/jobs").json()["jobs"]}
    assert (states[first]["state"], states[second]["state"]) == ("running", "waiting")
    assert states[first]["progress"]["seconds_left"] == 3
    assert client.post(f"/api/jobs/{first}/do", json={"what": "remove"}).status_code == 400

    # the runner dies: what it ran goes on, and nobody starts it a second time
    done = workspace.job(first).step("find")
    assert done is not None
    os.kill(done.pid, signal.SIGKILL)
    until(lambda: workspace._running[first].poll() is not None)
    assert client.get(f"/api/jobs/{first}").json()["state"] == "running"
    # and it can still be stopped, though nobody is left to send it a signal
    client.post(f"/api/jobs/{first}/do", json={"what": "stop"})
    until(lambda: client.get(f"/api/jobs/{first}").json()["state"] == "interrupted")
    hold.unlink()

    # whoever opens the folder next sees the same
    workspace.go_on()
    until(lambda: client.get(f"/api/jobs/{second}").json()["state"] == "deciding")
    client.post(f"/api/jobs/{first}/ask", json={"step": "find"})
    until(lambda: client.get(f"/api/jobs/{first}").json()["state"] == "deciding")


def test_a_folder_has_one_studio(tmp_path: Path) -> None:
    one = Workspace(tmp_path / "studio")
    token = one.token()
    with pytest.raises(OutputError, match="another studio in it"):
        Workspace(tmp_path / "studio")
    one.close()
    again = Workspace(tmp_path / "studio")
    assert again.token() == token
    again.close()


@pytest.mark.parametrize(
    ("change", "people"),
    [
        (
            {"kind": "merge", "person": "person_001", "other": "person_002"},
            {"person_001": ("0", "1", "2")},
        ),
        (
            {"kind": "apart", "person": "person_002", "parts": ["2"]},
            {"person_001": ("0",), "person_002": ("1",), "person_003": ("2",)},
        ),
        (
            {"kind": "split", "person": "person_001", "track": 0, "frame": 20},
            {"person_001": ("0",), "person_002": ("1", "2"), "person_003": ("3",)},
        ),
        (
            {"kind": "rename", "person": "person_002", "name": "Ann"},
            {"person_001": ("0",), "Ann": ("1", "2")},
        ),
    ],
    ids=lambda value: value.get("kind", ""),
)
def test_who_is_who(
    client: TestClient,
    workspace: Workspace,
    clip: Path,
    change: dict[str, object],
    people: dict[str, tuple[str, ...]],
) -> None:
    job = decided(workspace, clip)
    told = client.post(f"/api/jobs/{job.id}/people", json={"change": change}).json()
    assert {one["id"]: tuple(p["name"] for p in one["parts"]) for one in told["people"]} == people
    assert {one.id: one.parts for one in read_people(job.who).people} == people
    if change["kind"] == "split":
        (split,) = read_people(job.who).splits
        assert (split.track, split.frame, split.new) == (0, 20, 3)
        assert read_people(job.who).parts["3"].first == 20

    client.post(f"/api/jobs/{job.id}/do", json={"what": "undo"})
    assert read_people(job.who) == found()
    assert client.post(f"/api/jobs/{job.id}/do", json={"what": "undo"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "do", "people": ["nobody"], "do": "leave"}, "a person of this job"),
        ({"kind": "do", "people": ["person_001"], "do": "eat"}, "Input should be"),
        ({"kind": "merge", "person": "person_001", "other": "person_001"}, "another person"),
        ({"kind": "apart", "person": "person_002", "parts": ["1", "2"]}, "some parts, found 2"),
        ({"kind": "split", "person": "person_001", "track": 0, "frame": 0}, "a frame from 1 to 39"),
        ({"kind": "split", "person": "person_001", "track": 1, "frame": 9}, "a track of person"),
        ({"kind": "rename", "person": "person_001", "name": "person_002"}, "a name of one's own"),
        ({"kind": "rename", "person": "person_001", "name": "../x"}, "should match pattern"),
    ],
)
def test_decisions_that_cannot_be(
    client: TestClient, workspace: Workspace, clip: Path, change: dict[str, object], reason: str
) -> None:
    job = decided(workspace, clip)
    answer = client.post(f"/api/jobs/{job.id}/people", json={"change": change})
    assert answer.status_code == 400
    assert reason in answer.text
    assert not job.who.exists()


def test_what_went_wrong_is_said_once_and_by_name(
    client: TestClient, workspace: Workspace, clip: Path
) -> None:
    job = decided(workspace, clip)
    warned = {"event": "warning", "text": f"{job.input}/a.jpg: needs a picture, found none"}
    said = {"event": "said", "text": "2 people found"}
    (job.path / "find.log").write_text(
        "".join(f"{json.dumps(x)}\n" for x in (warned, warned, said))
    )
    told = client.get(f"/api/jobs/{job.id}").json()
    assert told["problems"] == ["a.jpg: needs a picture, found none"]
    assert told["lines"][-1] == "2 people found"


def test_the_same_clip_is_not_looked_through_twice(workspace: Workspace, clip: Path) -> None:
    first, again, other = (decided(workspace, clip) for _ in range(3))
    known = first.run / "found/detections.bin"
    known.write_bytes(b"what was found")
    (other.input / "street.mp4").write_bytes(b"another clip")
    for job in (again, other):
        workspace._share_looks(job, job.read())
    assert (again.run / "found/detections.bin").read_bytes() == b"what was found"
    assert not (other.run / "found/detections.bin").exists()


def test_the_sample_is_a_job(
    client: TestClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "go_on", lambda _: None)
    job = client.post("/api/sample", json={"options": {"thorough": False}}).json()["id"]
    told = client.get(f"/api/jobs/{job}").json()
    assert (told["name"], told["kind"], told["state"]) == ("bundled sample", "pictures", "waiting")
    there = {path.parent.name for path in workspace.job(job).input.rglob("*.jpg")}
    assert there == {"astronaut", "cadet", "pilot"}


def test_an_encrypted_job_shows_what_only_the_key_opens(
    client: TestClient, workspace: Workspace, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTRSEARCH_KEY", KEY)
    monkeypatch.setenv("ATTRSEARCH_ENCRYPT", "1")
    job = decided(workspace, clip)
    commands = client.get(f"/api/jobs/{job.id}").json()["commands"]
    assert all(" --encrypt" in command and KEY not in command for command in commands.values())
    assert client.get("/api/jobs").json()["encrypted"]

    people = job.people()
    shot = Part(first=0, last=39, frames=38, shots=(Shot(file="track_0_1.jpg", frame=1),))
    job.write_people(people.model_copy(update={"parts": {**people.parts, "0": shot}}))
    face = to_jpeg(np.zeros((64, 64, 3), np.uint8))
    (job.run / "found/track_0_1.jpg.fernet").write_bytes(locked(face))
    (job.run / "coverage.parquet.fernet").write_bytes(locked(b"a ledger"))
    assert client.get(f"/api/jobs/{job.id}/face?part=0&number=0").content == face
    told = client.get(f"/api/jobs/{job.id}").json()
    assert {"ledger": "coverage.parquet"}.items() <= {
        item["what"]: item["name"] for item in told["downloads"]
    }.items()
    ledger = client.get(f"/download/{job.id}/ledger")
    assert (ledger.content, 'filename="coverage.parquet"' in str(ledger.headers)) == (
        b"a ledger",
        True,
    )
    written = [path for path in workspace.path.rglob("*") if path.is_file()]
    assert not [path for path in written if KEY.encode() in path.read_bytes()]

    monkeypatch.setenv("ATTRSEARCH_KEY", "")
    assert client.get(f"/api/jobs/{job.id}/face?part=0&number=0").status_code == 400


def test_everybody_may_be_more_than_a_request_can_name(
    client: TestClient, workspace: Workspace, clip: Path
) -> None:
    job = decided(workspace, clip)
    people = tuple(Somebody(id=f"person_{i:04d}", parts=(str(i),)) for i in range(5000))
    parts = {str(i): Part(first=0, last=39, frames=9) for i in range(5000)}
    job.write_people(PeopleFile(people=people, parts=parts, rate=25, frames=FRAMES))
    change = {"kind": "do", "people": "everybody", "do": "filter"}
    answer = client.post(f"/api/jobs/{job.id}/people", json={"change": change})
    assert answer.status_code == 200
    assert {one.do for one in read_people(job.who).people} == {"filter"}


def test_who_waits_knows_for_what(
    client: TestClient, workspace: Workspace, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = decided(workspace, clip), decided(workspace, clip)
    monkeypatch.setattr(Workspace, "is_started", lambda _, job: job.id == one.id)
    monkeypatch.setattr(Workspace, "go_on", lambda _: None)
    one.change(name="the first")
    client.post(f"/api/jobs/{two.id}/ask", json={"step": "anonymise"})
    assert client.get(f"/api/jobs/{two.id}").json()["behind"] == "the first"
    assert client.get(f"/api/jobs/{one.id}").json()["behind"] is None


def test_faces_of_one_stretch_take_one_pass(workspace: Workspace, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "street.mp4", textured(FRAMES), Clip(options={"g": "40"}))
    job = decided(workspace, clip)
    people = job.people()
    faces = {
        str(i): Part(first=0, last=39, frames=9, at=i, box=(10, 10, 60, 60 + i)) for i in range(40)
    }
    job.write_people(people.model_copy(update={"parts": faces}))
    views = JobViews()
    pictures = {part: views.face(job, part, 0) for part in ("39", "3", "20", "39")}
    assert len(set(pictures.values())) == 3
    # the first face asked for lies behind all others: they are cut on the way to it
    assert views._readers.reader(job.source(job.read())).decoded == 40


def test_frames_and_faces(client: TestClient, workspace: Workspace, clip: Path) -> None:
    job = decided(workspace, clip)
    about = client.get(f"/api/jobs/{job.id}/view").json()
    strip = about.pop("strips")["before"]
    assert about == {"count": FRAMES, "rate": 25, "width": 320, "height": 240}
    assert (strip["frames"][0], strip["frames"][-1]) == (0, FRAMES - 1)
    sheet = client.get(f"/api/jobs/{job.id}/strip/before")
    assert sheet.headers["content-type"] == "image/jpeg"
    assert client.get(f"/api/jobs/{job.id}/strip/after").status_code == 400
    assert client.get(f"/api/jobs/{job.id}/strip/beside").status_code == 400
    for number in (0, 39, 17):
        answer = client.get(f"/api/jobs/{job.id}/frame/before/{number}?width=160")
        assert answer.headers["content-type"] == "image/jpeg"
    assert client.get(f"/api/jobs/{job.id}/frame/before/40").status_code == 400
    assert client.get(f"/api/jobs/{job.id}/frame/beside/0").status_code == 400
    assert "none yet" in client.get(f"/api/jobs/{job.id}/frame/after/0").text
    assert client.get(f"/api/jobs/{job.id}/face?part=0&number=0").status_code == 200
    assert client.get(f"/api/jobs/{job.id}/face?part=2&number=0").status_code == 400


def test_who_may_ask(client: TestClient, workspace: Workspace, clip: Path) -> None:
    job = decided(workspace, clip)
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in page.text
    for name in ("base.css", "studio.css", "core.js", "main.js", "player.js"):
        assert client.get(f"/assets/{name}").status_code == 200
    assert client.get("/assets/..%2Fserver.py").status_code == 404

    nobody = {"Authorization": ""}
    for path in ("/", "/api/jobs", f"/api/jobs/{job.id}", f"/api/jobs/{job.id}/frame/before/0"):
        assert client.get(path, headers=nobody).status_code == 401
    assert client.get("/api/jobs", headers={"Host": "evil.example"}).status_code == 421
    place = f"/api/upload/{job.id}/x.jpg"
    for header in ({"Origin": "http://evil.example"}, {"X-Attrsearch": ""}, nobody):
        assert client.put(place, content=b"x", headers=FILE | header).status_code in (401, 403)
    body = json.dumps({"what": "remove"})
    plain = OURS | {"Content-Type": "text/plain"}
    assert client.post(f"/api/jobs/{job.id}/do", content=body, headers=plain).status_code == 403
    assert job.path.is_dir()


@pytest.mark.parametrize(
    "name",
    ["..%2Fx", "%2Fetc%2Fpasswd", ".hidden", "a%2F..%2Fx", "a%5Cb", "a%00b", "a/b/c/d/e/f/g"],
)
def test_nothing_is_written_outside(client: TestClient, workspace: Workspace, name: str) -> None:
    job = client.post("/api/jobs", json={"name": "x"}).json()["id"]
    answer = client.put(f"/api/upload/{job}/{name}", content=b"x", headers=FILE)
    assert answer.status_code in (400, 404)
    assert list(workspace.job(job).input.iterdir()) == []
    with pytest.raises(InputError):
        place_in(workspace.job(job).input, "../x")


def test_a_face_as_the_result_shows_it(
    client: TestClient, workspace: Workspace, clip: Path
) -> None:
    job = decided(workspace, clip)
    place = f"/api/jobs/{job.id}/result-face/3?left=20&top=20&right=60&bottom="
    assert "needs the result of a video, found none" in client.get(place + "60").text
    (job.path / "result").mkdir()
    (job.path / "result/street.mp4").write_bytes(clip.read_bytes())
    assert client.get(place + "60").headers["content-type"] == "image/jpeg"
    for wrong in ("nan", "x", "1e9"):
        assert client.get(place + wrong).status_code == 400
    outside = place.replace("left=20", "left=5000").replace("right=60", "right=5040")
    assert "a box inside the frame" in client.get(outside + "60").text


def test_errors_name_files_as_they_were_dropped(client: TestClient, workspace: Workspace) -> None:
    job = workspace.add("bad.jpg", Options())
    (job.input / "bad.jpg").write_bytes(b"no picture")
    job.change(kind="pictures", begun="find")
    answer = client.get(f"/api/jobs/{job.id}/frame/before/0")
    assert (answer.status_code, answer.text[:33]) == (400, "bad.jpg: needs a readable picture")


def test_a_drop_without_pictures(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    job = drop(client, tmp_path / "notes.txt")
    answer = client.post(f"/api/jobs/{job}/do", json={"what": "begin"})
    assert answer.status_code == 400
    assert "needs a video or pictures, found notes.txt" in answer.text
    assert client.post(f"/api/jobs/{job}/do", json={"what": "remove"}).status_code == 200
    assert client.get(f"/api/jobs/{job}").status_code == 400


def test_places_worth_a_look(tmp_path: Path) -> None:
    ledger = tmp_path / "coverage.parquet"
    write_coverage(ledger, frames=60)  # without reasons and distances, as the first ledgers were
    leak = {"frame": 7, "seconds": 0.2, "box": [1, 2, 3, 4], "kind": "uncovered", "value": 2.0}
    (tmp_path / "audit.json").write_text(json.dumps({"judge": "dlib", "leaks": [leak]}))
    told = read_places(tmp_path)
    assert told["audit"] == {"judge": "dlib", "leaks": 1}
    firsts = [place["first"] for place in told["places"]]
    assert firsts == sorted(firsts)
    assert {place["kind"] for place in told["places"]} >= {"filtered", "audited"}
    assert all(place["first"] <= place["last"] < 60 for place in told["places"])
    people = frozenset(place["person"] for place in told["places"] if place["kind"] == "filtered")
    whys = {p["why"] for p in read_places(tmp_path, people)["places"] if p["kind"] == "filtered"}
    assert whys == {"as decided"}
    person = next(iter(told["people"].values()))
    assert 0 <= person["frame"] < 60
    assert len(person["box"]) == 4
    faces = sum(one["faces"] for one in told["people"].values())
    assert faces == np.sum(list(told["counts"].values())) > 0
    assert all(0 <= one["edited"] <= one["faces"] for one in told["people"].values())
