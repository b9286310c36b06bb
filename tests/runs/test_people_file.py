"""``people.json``, and who is searched again after it changed."""

import json
from pathlib import Path

import pytest

from attrsearch.core.errors import InputError
from attrsearch.runs.people_file import PeopleFile, Somebody, read_people, text_of
from attrsearch.runs.searched import forget_changed


def people(**parts: str) -> PeopleFile:
    return PeopleFile(
        people=tuple(Somebody(id=name, parts=tuple(value.split())) for name, value in parts.items())
    )


def test_a_file_says_what_it_was_told(tmp_path: Path) -> None:
    said = people(ann="1 3", bob="2")
    (tmp_path / "people.json").write_text(text_of(said))
    assert read_people(tmp_path / "people.json") == said
    assert said.owners == {"1": "ann", "3": "ann", "2": "bob"}
    assert said.named("anonymise") == {"ann", "bob"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid JSON"),
        ('{"people": 3}', "people: "),
        ('{"people": [{"id": "a", "parts": ["1"], "do": "eat"}]}', "people.0.do: "),
        ('{"people": [], "version": 2}', "version: "),
        ('{"people": [{"id": "a", "parts": ["1", "1"]}]}', "part 1 is there twice"),
        (
            '{"people": [{"id": "a", "parts": []}, {"id": "a", "parts": []}]}',
            "person a is there twice",
        ),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "people.json").write_text(text)
    with pytest.raises(InputError) as caught:
        read_people(tmp_path / "people.json")
    assert reason in str(caught.value)
    assert "--find-only" in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a people file, found No such file"):
        read_people(tmp_path / "people.json")


def test_who_is_somebody_else_is_searched_again(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    for name in ("ann", "bob", "cid"):
        (tmp_path / "people" / f"{name}.json").write_text("{}")
    said = people(ann="1", bob="2", cid="3")
    # of people searched before anything was said nothing is known
    assert forget_changed(tmp_path, said) == ["ann", "bob", "cid"]
    for name in ("ann", "bob", "cid"):
        (tmp_path / "people" / f"{name}.json").write_text("{}")
    assert forget_changed(tmp_path, said) == []

    merged = people(ann="1 2", cid="3")
    assert forget_changed(tmp_path, merged) == ["ann", "bob"]
    (tmp_path / "people" / "cid.json").write_text("{}")
    one, cid = merged.people
    given = merged.model_copy(update={"people": (one, cid.model_copy(update={"gender": "male"}))})
    assert forget_changed(tmp_path, given) == ["cid"]
    left = given.model_copy(
        update={"people": tuple(p.model_copy(update={"do": "leave"}) for p in given.people)}
    )
    assert forget_changed(tmp_path, left) == []
    assert set(json.loads((tmp_path / "searched.json").read_text())) == {"ann", "cid"}
