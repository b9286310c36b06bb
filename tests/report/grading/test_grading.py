"""Grading: the page takes grades from its own address only; the network learns a look."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.core.images import to_jpeg
from attrsearch.report.grading.grades import (
    GRADES,
    Edit,
    Grade,
    all_grades,
    edits_of,
    read_grades,
    write_grade,
)
from attrsearch.report.grading.look import learn_look
from attrsearch.report.grading.server import GradingServer
from attrsearch.runs import review as decisions
from attrsearch.runs.attributes_file import PersonRecord, named_passes
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.person_part import PersonPart
from attrsearch.runs.review import decide
from attrsearch.runs.trials_file import trials_table


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one person as ``attrsearch run`` writes it: a winner and an alternative."""
    folder = RunFolder(tmp_path / "run")
    attributes = np.random.default_rng(0).uniform(-1, 1, (6, 1, 13)).astype(np.float32)
    first, second = named_passes(attributes[2])
    record = PersonRecord(
        id="Ann",
        gender="female",
        feasible=True,
        first_pass=first,
        second_pass=second,
        utility=1.2,
        detection=1.0,
        iou=0.9,
        distance=1.45,
        distance_raw=1.4,
        faces=1,
        evaluations=6,
    )
    picture = to_jpeg(np.full((192, 192, 3), 99, np.uint8))
    names = {"best": (folder.write_image("Ann", "best_0.jpg", picture),)}
    names["runner"] = (folder.write_image("Ann", "runner_1.jpg", picture),)
    part = PersonPart(
        record=record,
        gender_certainty=1.0,
        worst_distance=1.4,
        heldback=None,
        winner=2,
        runners=(5,),
        feasible_trials=1,
        seconds=1.0,
        images=names,
    )
    columns = (
        "detection",
        "iou",
        "distance",
        "distance_raw",
        "worst_distance",
        "utility",
        "seconds",
    )
    measured = {name: np.ones(6, np.float32) for name in columns} | {"feasible": np.ones(6, bool)}
    folder.write_person(part, trials_table("Ann", 0, attributes, measured))
    (folder.path / "run.toml").write_text('format = "attrsearch/run"\n')
    return folder.path


def test_edits_have_the_attributes_of_their_trial(run: Path) -> None:
    edits = edits_of(run)
    assert [(edit.trial, Path(edit.picture).name) for edit in edits] == [
        (2, "best_0.jpg"),
        (5, "runner_1.jpg"),
    ]
    trials = RunFolder(run).read_trials("Ann")
    assert edits[1].attributes[7] == np.float32(trials["first_Male"][5])
    assert not edits[1].attributes[13:].any()


def test_grades_are_kept_and_replaced(run: Path) -> None:
    edits = edits_of(run)
    assert read_grades(run) == {}
    write_grade(run, edits, edits[0].picture, "bad")
    write_grade(run, edits, edits[1].picture, "OK")
    write_grade(run, edits, edits[0].picture, "good")
    assert read_grades(run) == {edits[0].picture: "good", edits[1].picture: "OK"}
    with pytest.raises(InputError, match="needs a picture of the run"):
        write_grade(run, edits, "../secret", "good")
    with pytest.raises(InputError, match="found fine"):
        write_grade(run, edits, edits[0].picture, "fine")
    (run / "grades.csv").write_text("identity,trial,picture,grade\nAnn,1,x.jpg,fine\n")
    with pytest.raises(InputError, match=r"grades.csv, line 2: needs bad, OK or good"):
        read_grades(run)


def test_grades_of_the_dashboard_count_for_winners(run: Path) -> None:
    edits = edits_of(run)
    decide(run, "Ann", "someone", "grade", {"grade": 1}, grade=1)
    assert GRADES == tuple(get_args(Grade)) == decisions.GRADES
    assert all_grades(run, edits) == {edits[0].picture: "OK"}
    write_grade(run, edits, edits[0].picture, "good")
    assert all_grades(run, edits) == {edits[0].picture: "good"}


def test_folders_that_hold_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs a run \(run.toml\)"):
        edits_of(tmp_path)
    (tmp_path / "run.toml").write_text("")
    with pytest.raises(InputError, match="needs a run with pictures"):
        edits_of(tmp_path)


@pytest.fixture
def server(run: Path) -> Iterator[GradingServer]:
    with GradingServer(run) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(
    server: GradingServer, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_port)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_the_page_takes_a_grade(server: GradingServer) -> None:
    path = server.address.split(str(server.server_port))[1]
    status, page = ask(server, "GET", path)
    assert status == 200
    assert b"How does this face look?" in page
    picture = server.edits[0].picture
    status, image = ask(server, "GET", f"/picture?token={server.token}&name={picture}")
    assert (status, image[:2]) == (200, b"\xff\xd8")
    body = json.dumps({"picture": picture, "grade": "OK"})
    assert ask(server, "POST", "/", body, **{"X-Token": server.token})[0] == 200
    assert read_grades(server.run) == {picture: "OK"}


def test_the_page_refuses_strangers(server: GradingServer) -> None:
    token = server.token
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, "GET", "/")[0] == 403
    assert ask(server, "GET", f"/?token={token}", Host="evil.example")[0] == 403
    assert (
        ask(server, "POST", "/", json.dumps({"picture": server.edits[0].picture, "grade": "OK"}))[0]
        == 403
    )
    assert ask(server, "GET", f"/picture?token={token}&name=../run.toml")[0] == 404
    for body in ("no json", "{}", json.dumps({"picture": "x", "grade": "OK"})):
        assert ask(server, "POST", "/", body, **{"X-Token": token})[0] == 400
    assert read_grades(server.run) == {}


def test_a_look_that_hangs_on_an_attribute_is_learnt() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (300, 26)).astype(np.float32)
    edits = [Edit("Ann", i, f"{i}.jpg", row) for i, row in enumerate(values)]
    grades = {f"{i}.jpg": "good" if row[12] > 0 else "bad" for i, row in enumerate(values)}
    look = learn_look(edits, grades)
    assert look.accuracy > 0.75 > look.chance
    assert look.edits == 300
    table = look.probabilities(values[:5])
    assert set(table) == {"good", "bad"}
    assert np.allclose(table["good"] + table["bad"], 1)
    with pytest.raises(
        InputError, match="two grades given to 3 edits each, found 1 bad, 0 OK, 0 good"
    ):
        learn_look(edits[:1], {"0.jpg": "bad"})
