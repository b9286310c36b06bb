"""Who gets which set in a video: by their pictures, as the only one, or as everybody."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.anonymise.videos import (
    ExportedSets,
    FaceModels,
    apply_to_stream,
    apply_to_video,
    load_face_models,
)
from attrsearch.core.errors import InputError
from attrsearch.editing.editor import Editor
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.detection.yunet import YuNet
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.load import choose_judge
from attrsearch.runs.attributes_file import AttributesFile
from attrsearch.video.io.source import VideoFile
from attrsearch.video.pipeline import VideoOptions, VideoResult
from tests.anonymise.test_images import export, person
from tests.clips import Clip, street, walker, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two looks at the astronaut, who are two people since they share every frame."""
    pictures = street([walker(6, (80, 110), (1, 0), 66), walker(6, (240, 120), (0, 0), 70)]).render(
        2
    )
    return write_clip(
        tmp_path_factory.mktemp("clip") / "a.mp4", pictures, Clip(options={"crf": "8"})
    )


@pytest.fixture
def eyes(mtcnn: Mtcnn, sface: CalibratedRecogniser) -> FaceModels:
    return FaceModels(Mtcnn(30), mtcnn, sface)


def apply(
    clip: Path,
    target: Path,
    eyes: FaceModels,
    editor: Editor,
    file: AttributesFile,
    *,
    match: Path | None = None,
    person: str | None = None,
) -> VideoResult:
    export = ExportedSets(file, editor, match, person)
    return apply_to_video(VideoFile(clip, target), export, eyes, VideoOptions())


def test_an_export_of_one_goes_to_whoever_is_seen_longest(
    clip: Path,
    eyes: FaceModels,
    editor: Editor,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = apply(clip, tmp_path / "o.mp4", eyes, editor, export(person("anna")))
    assert done.people == ("anna", "person_002")
    assert done.counts == {"edited": 6, "filtered": 6}
    assert caplog.messages == [
        "1 people of the video have no attribute set and are filtered (blur)"
    ]


def test_everybody_is_one_person(
    clip: Path, eyes: FaceModels, editor: Editor, tmp_path: Path
) -> None:
    file = export(person("anna"), person("bert"))
    done = apply(clip, tmp_path / "o.mp4", eyes, editor, file, person="bert")
    assert done.people == ("bert",)
    assert done.counts == {"edited": 12}


def test_an_infeasible_set_is_never_used(
    clip: Path, eyes: FaceModels, editor: Editor, tmp_path: Path
) -> None:
    file = export(person("anna", feasible=False))
    for options in ({"person": "anna"}, {}):
        done = apply(clip, tmp_path / "o.mp4", eyes, editor, file, **options)
        assert done.counts == {"filtered": 12}


def test_people_are_matched_by_their_pictures(
    clip: Path, eyes: FaceModels, editor: Editor, sample: Path, tmp_path: Path
) -> None:
    file = export(person("astronaut"), person("cadet"))
    done = apply(clip, tmp_path / "o.mp4", eyes, editor, file, match=sample)
    assert "astronaut" in done.people
    assert done.counts["edited"] >= 6
    assert sum(done.counts.values()) == 12


def test_a_person_the_export_has_not(
    clip: Path, eyes: FaceModels, editor: Editor, tmp_path: Path
) -> None:
    file = export(person("anna"))
    with pytest.raises(
        InputError, match="zoe: needs a person of the export, found no zoe; it has anna"
    ):
        apply(clip, tmp_path / "o.mp4", eyes, editor, file, person="zoe")
    for name, options in (
        ("zoe", VideoOptions()),
        (None, VideoOptions(visible=frozenset({"zoe"}))),
    ):
        sets = ExportedSets(file, editor, person=name)
        with pytest.raises(InputError, match="zoe: needs a person"):
            apply_to_stream("-", tmp_path / "o.mp4", sets, eyes, options)
    assert list(tmp_path.iterdir()) == []


def test_eyes_are_what_was_asked_for() -> None:
    eyes = load_face_models(VideoOptions(), detector="yunet", recogniser="sface")
    assert isinstance(eyes.detector, YuNet)
    assert eyes.scaled.name == "sface"
    assert (
        load_face_models(VideoOptions(), detector="mtcnn", recogniser="sface").detector.name
        == "mtcnn"
    )


def test_the_judge_is_another() -> None:
    assert choose_judge("sface").name != "sface"
    assert choose_judge("dlib").name != "dlib"
    assert choose_judge("dlib", "sface").name not in {"dlib", "sface"}
    assert np.isfinite(choose_judge("sface").calibration.verification)
