"""The dashboard's server: who may talk to it, what it serves, and what it refuses."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from attrsearch.core.errors import InputError
from attrsearch.report.asked import Asked, read_asked
from attrsearch.report.dashboard.security import Access
from attrsearch.report.dashboard.server import Dashboard
from attrsearch.report.dashboard.state import LiveRun
from attrsearch.report.packing import unpack
from attrsearch.report.page import write_report
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.folder import RunFolder
from tests.report.pages import block
from tests.report.synthetic import provenance, write_people, write_person, write_run

HERE = "http://127.0.0.1:8765"
OURS = {"X-Attrsearch": "1", "Content-Type": "application/json", "Origin": HERE}


def client(
    run: Path, *, access: Access | None = None, originals: bool = False, base: str = HERE
) -> TestClient:
    live = LiveRun(run, originals)
    live.refresh()
    application = Dashboard(live, "ann", originals=originals).application(
        access or Access("127.0.0.1", 8765)
    )
    return TestClient(
        application, base_url=base, raise_server_exceptions=False, follow_redirects=False
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", 6, 40)


@pytest.fixture
def ours(run: Path) -> Iterator[TestClient]:
    with client(run) as opened:
        yield opened


def test_the_page_may_ask_only_the_dashboard(ours: TestClient) -> None:
    answer = ours.get("/")
    assert answer.status_code == 200
    assert "connect-src &#39;self&#39;" in answer.text
    assert "unsafe" not in answer.text.split("<title>")[0]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "192.168.0.9"]
)
def test_other_names_for_this_machine_are_refused(ours: TestClient, host: str) -> None:
    for path in ("/", "/api/cohort", "/picture/0/best/0", "/download/attributes.json"):
        assert ours.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:8765", "[::1]:8765"])
def test_this_machine_is_known_by_its_names(ours: TestClient, host: str) -> None:
    assert ours.get("/api/cohort", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"X-Attrsearch": ""},
        {"Content-Type": "text/plain"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_changes_from_elsewhere_are_refused(
    ours: TestClient, run: Path, change: dict[str, str]
) -> None:
    body = json.dumps({"person": "Person_0000", "dropped": True})
    assert ours.post("/api/drop", content=body, headers=OURS | change).status_code == 403
    assert not (run / "decisions.json").exists()
    assert ours.post("/api/drop", content=body, headers=OURS).status_code == 200


def test_large_and_wrong_bodies(ours: TestClient, run: Path) -> None:
    assert ours.post("/api/drop", content=b"x" * 10_001, headers=OURS).status_code == 403
    for path, body, reason in (
        ("drop", "{", "Invalid JSON"),
        ("drop", '{"person": "Person_0000"}', "dropped: Field required"),
        ("drop", '{"person": "Person_0000", "dropped": true, "x": 1}', "x: Extra inputs"),
        ("grade", '{"person": "Person_0000", "grade": 3}', "grade: Input should be less than 3"),
        ("winner", '{"person": "Person_0000", "trial": -1}', "trial: Input should be greater"),
        (
            "drop",
            '{"person": "../etc", "dropped": true}',
            "needs a finished person of the run, found ../etc",
        ),
    ):
        answer = ours.post(f"/api/{path}", content=body, headers=OURS)
        assert (answer.status_code, reason in answer.text) == (400, True), answer.text
    assert not (run / "changes.jsonl").exists()


def test_nothing_outside_the_run_is_served(ours: TestClient, run: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    for path in (
        "/download/run.toml",
        "/download/..%2Fsecret.json",
        "/download/%2e%2e/secret.json",
        "/picture/0/..%2F..%2Fsecret.json/0",
        "/picture/0/best/99",
        "/picture/0/best/-1",
        "/people/Person_0000.json",
        "/../secret.json",
    ):
        assert ours.get(path).status_code == 404, path
    (run / "summary.csv").unlink()
    (run / "summary.csv").symlink_to(tmp_path / "secret.json")
    assert ours.get("/download/summary.csv").status_code == 404
    person = RunFolder(run).read_person("Person_0000")
    file = run / "people" / "Person_0000.json"
    file.write_text(
        person.model_copy(update={"images": {"best": ("../secret.json",)}}).model_dump_json()
    )
    key = next(
        row["key"] for row in ours.get("/api/cohort").json()["people"] if row["id"] == "Person_0000"
    )
    assert ours.get(f"/picture/{key}/best/0").status_code == 404


def test_tags_and_notes_are_kept_beside_the_run(ours: TestClient, run: Path) -> None:
    before = (run / "attributes.json").read_bytes()
    body = {"person": "Person_0001", "tags": [" twin ", "ask", "twin"], "note": "=1+1, see Ann"}
    answer = ours.post("/api/note", json=body, headers=OURS)
    assert (answer.status_code, answer.json()["tags"]) == (200, ["twin", "ask"])
    row = next(r for r in ours.get("/api/cohort").json()["people"] if r["id"] == "Person_0001")
    assert (row["tags"], row["note"]) == (["twin", "ask"], "=1+1, see Ann")
    assert (run / "attributes.json").read_bytes() == before
    assert "see Ann" not in write_report(run).read_text()  # the report is for others, too
    line = json.loads((run / "changes.jsonl").read_text())
    assert (line["who"], line["action"], line["note"]) == ("ann", "note", "=1+1, see Ann")

    given = ours.get("/download/notes.csv")
    table = pd.read_csv(io.StringIO(given.text))
    assert table["id"].tolist() == ["Person_0001"]
    assert table["tags"].tolist() == ["twin; ask"]
    assert table["note"].tolist() == ["'=1+1, see Ann"]  # a spreadsheet computes nothing

    for wrong in (
        {"tags": ["x" * 41]},
        {"tags": ["a"] * 13},
        {"tags": [" "]},
        {"note": "n" * 2001},
    ):
        refused = ours.post("/api/note", json=body | wrong, headers=OURS)
        assert refused.status_code == 400, wrong


def test_a_choice_that_cannot_be_measured_leaves_the_winner(ours: TestClient, run: Path) -> None:
    before = (run / "people" / "Person_0000.json").read_bytes()
    body = {"person": "Person_0000", "trial": 40, "background": True}
    beyond = ours.post("/api/winner", json=body, headers=OURS)
    assert (beyond.status_code, "0 to 39, found 40" in beyond.text) == (400, True)
    started = ours.post("/api/winner", json=body | {"trial": 3}, headers=OURS)
    assert (started.status_code, started.json()) == (202, {"measuring": 3})
    for _ in range(1000):
        people = ours.get("/api/cohort").json()["people"]
        measuring = next(row["measuring"] for row in people if row["id"] == "Person_0000")
        if measuring["error"]:
            break
        time.sleep(0.01)
    assert measuring["trial"] == 3
    assert "start the dashboard with --faces FACES" in measuring["error"]
    assert (run / "people" / "Person_0000.json").read_bytes() == before


def test_attributes_of_candidates(ours: TestClient, run: Path) -> None:
    asked = ours.get("/api/attributes/0").json()
    name = ours.get("/api/cohort").json()["people"][0]["id"]
    trials = RunFolder(run).read_trials(name)
    assert (len(asked["first"]), asked["second"]) == (40, None)
    assert asked["first"][7][3] == pytest.approx(float(trials["first_Blond_Hair"][7]), abs=1e-4)
    beyond = ours.get("/api/attributes/99")
    assert (beyond.status_code, "a person of the run" in beyond.text) == (400, True)


def test_the_chart_library_is_served_and_nothing_beside_it(ours: TestClient) -> None:
    given = ours.get("/library/vega.min.js")
    assert (given.status_code, given.headers["x-content-type-options"]) == (200, "nosniff")
    assert given.headers["content-type"].startswith("text/javascript")
    for path in ("/library/README.md", "/library/..%2Fcore.js", "/library/", "/library/core.js"):
        assert ours.get(path).status_code == 404, path


def test_originals_stay_off_unless_asked(run: Path) -> None:
    folder = RunFolder(run)
    person = folder.read_person("Person_0001")
    name = folder.write_image("Person_0001", "original_0.jpg", b"an original")
    changed = person.model_copy(update={"images": {**person.images, "original": (name,)}})
    (run / "people" / "Person_0001.json").write_text(changed.model_dump_json())
    for originals, status in ((False, 404), (True, 200)):
        with client(run, originals=originals) as opened:
            rows = {row["id"]: row for row in opened.get("/api/cohort").json()["people"]}
            assert ("original" in rows["Person_0001"]["pictures"]) is originals
            assert (
                opened.get(f"/picture/{rows['Person_0001']['key']}/original/0").status_code
                == status
            )


def test_pictures_and_trials(ours: TestClient, run: Path) -> None:
    row = ours.get("/api/cohort").json()["people"][2]
    picture = ours.get("/" + row["pictures"]["best"][0])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == (run / "images" / row["id"] / "best_0.jpg").read_bytes()
    shown = unpack(ours.get(f"/api/trials/{row['key']}").text)
    assert shown["distance"][row["winner"]] == pytest.approx(row["distance"], abs=1e-4)
    assert ours.get("/api/trials/99").status_code == 400


def test_only_what_changed_is_sent_again(tmp_path: Path) -> None:
    import numpy as np

    folder = write_people(tmp_path / "run", 3, 30)
    with client(folder.path) as opened:
        first = opened.get("/api/cohort?since=-1").json()
        assert [row["id"] for row in first["people"]] == [
            "Person_0000",
            "Person_0001",
            "Person_0002",
        ]
        assert first["state"] == {"running": True, "people": 3}
        again = opened.get(f"/api/cohort?since={first['revision']}").json()
        assert (again["people"], again["revision"]) == ([], first["revision"])
        write_person(folder, "A_new_one", 30, np.random.default_rng(9))
        later = opened.get(f"/api/cohort?since={first['revision']}").json()
        assert [(row["id"], row["key"]) for row in later["people"]] == [("A_new_one", 3)]
        assert opened.get("/download/attributes.json").status_code == 409
        folder.finish(provenance(30), {}, 3.0)
        end = opened.get(f"/api/cohort?since={later['revision']}").json()
        assert end["state"] == {"running": False, "people": 4}
        assert end["about"]["result"]["identities"] == 4
        sets = opened.get("/download/attributes.json")
        assert sets.headers["content-disposition"] == 'attachment; filename="attributes.json"'
        assert sets.content == (folder.path / "attributes.json").read_bytes()


def test_half_written_people_are_waited_for(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 2, 30)
    whole = (folder.people / "Person_0001.json").read_text()
    (folder.people / "Person_0001.json").write_text(whole[:100])
    with client(folder.path) as opened:
        assert len(opened.get("/api/cohort").json()["people"]) == 1
        (folder.people / "Person_0001.json").write_text(whole)
        assert len(opened.get("/api/cohort").json()["people"]) == 2


def test_dropping_and_grading_reach_the_files(ours: TestClient, run: Path) -> None:
    name = read_attributes(run / "attributes.json").identities[0].id
    answer = ours.post(
        "/api/drop", content=json.dumps({"person": name, "dropped": True}), headers=OURS
    )
    assert answer.json() == {"dropped": True, "report": True}
    assert name not in (run / "attributes.json").read_text()
    answer = ours.post("/api/grade", content=json.dumps({"person": name, "grade": 0}), headers=OURS)
    assert answer.json()["grade"] == "bad"
    row = next(row for row in ours.get("/api/cohort").json()["people"] if row["id"] == name)
    assert (row["dropped"], row["grade"]) == (True, 0)
    lines = ours.get("/download/changes.jsonl").text.splitlines()
    assert [(json.loads(line)["who"], json.loads(line)["action"]) for line in lines] == [
        ("ann", "drop"),
        ("ann", "grade"),
    ]


def test_a_decision_keeps_what_the_report_was_asked_for(run: Path, tmp_path: Path) -> None:
    folder = RunFolder(run)
    person = folder.read_person("Person_0001")
    data = (run / person.images["best"][0]).read_bytes()
    name = folder.write_image("Person_0001", "original_0.jpg", data)
    changed = person.model_copy(update={"images": {**person.images, "original": (name,)}})
    folder.write_part(changed)
    other = write_run(tmp_path / "by-chance", 6, 40)
    write_report(run, include_originals=True, against=other)
    with client(run) as opened:  # itself without --include-originals
        drop = json.dumps({"person": "Person_0002", "dropped": True})
        assert opened.post("/api/drop", content=drop, headers=OURS).json()["report"]
    page = run / "report.html"
    assert any(row.get("original") for row in block(page, "pictures-0"))
    assert block(page, "data")["against"] == "by-chance"
    assert "Person_0002" not in {row["id"] for row in block(page, "data")["people"]}
    write_report(run)
    with client(run, originals=False) as opened:
        assert opened.post("/api/drop", content=drop, headers=OURS).json()["report"]
    assert not any(row.get("original") for row in block(page, "pictures-0"))
    assert read_asked(tmp_path / "gone.html") == Asked()


def test_a_run_without_pictures_cannot_change_winners(ours: TestClient, run: Path) -> None:
    before = (run / "people" / "Person_0000.json").read_bytes()
    answer = ours.post("/api/winner", content='{"person": "Person_0000", "trial": 3}', headers=OURS)
    assert answer.status_code == 400
    assert "start the dashboard with --faces FACES" in answer.text
    assert (run / "people" / "Person_0000.json").read_bytes() == before
    assert not (run / "changes.jsonl").exists()


def test_other_addresses_need_a_token(run: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"--host: needs a token, since others can reach it, found none; add --token \S{20,}",
    ):
        Access("0.0.0.0", 8765)
    with pytest.raises(InputError, match="needs a token of at least 16 characters"):
        Access("0.0.0.0", 8765, "short")
    token = "a-token-of-some-length"
    access = Access("0.0.0.0", 8765, token)
    with client(run, access=access, base="http://192.168.0.9:8765") as opened:
        assert opened.get("/").status_code == 401
        assert opened.get("/api/cohort").status_code == 401
        assert opened.get("/?token=wrong").status_code == 401
        assert opened.get("/", headers={"Host": "rebound.example"}).status_code == 421
        assert (
            opened.get("/api/cohort", headers={"Authorization": f"Bearer {token}"}).status_code
            == 200
        )
        entered = opened.get(f"/?token={token}")
        assert entered.status_code == 303
        assert entered.headers["location"] == "/"
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert "SameSite=strict" in entered.headers["set-cookie"]
        assert opened.get("/api/cohort").status_code == 200


def test_a_run_that_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('format = "attrsearch/run"\n')
    with pytest.raises(InputError, match="needs the settings of a run, found none"):
        LiveRun(tmp_path)


def test_pictures_of_candidates_are_made_for_this_page_only(ours: TestClient) -> None:
    elsewhere = ours.get("/candidate/0/0", headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    unknown = ours.get("/candidate/99/0")
    assert (unknown.status_code, "a person of the run" in unknown.text) == (400, True)
    beyond = ours.get("/candidate/0/40")
    assert (beyond.status_code, "0 to 39, found 40" in beyond.text) == (400, True)
    other = ours.get("/candidate/0/0")  # the models are not those of the run
    assert (other.status_code, "needs editor" in other.text) == (400, True)
