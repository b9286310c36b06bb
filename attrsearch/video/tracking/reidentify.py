"""Link tracks into people by embedding, across gaps and scene cuts.

A track whose every look is too small or too turned to be known is never linked by them: it is the
person who was seen at its place just before or after, or a person of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import InputError
from attrsearch.core.picking import take
from attrsearch.faces.dataset import PersonFaces
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import detect_in_windows
from attrsearch.runs.people_file import PeopleFile
from attrsearch.video.tracking.best_shots import Sighting, Sightings
from attrsearch.video.tracking.id_switches import divide
from attrsearch.video.tracking.scan import Scan
from attrsearch.video.tracking.tracker import TrackedFace
from attrsearch.video.trajectories import follows

Floats = npt.NDArray[np.float32]

MAX_GAP = 8
"""A track that nobody can be known by is the person who was seen there at most this many frames
before or after.
"""

MIN_FRAMES_BESIDE = 3
"""Frames in which two tracks are seen beside each other, one of them unsurely, that make them two
people.
"""


@dataclass(frozen=True)
class People:
    """Who is in a video.

    Attributes:
        names: Track to the name of its person, ``person_001`` and so on by how long they are seen.
        looks: Person to their best looks, track by track, the best of a track first; persons
            without a look good enough are not in it.
        embeddings: Person to the embeddings (n, d) of those looks.
        poor_looks: Looks at persons who are not in ``looks``: not good enough to know anybody by.
    """

    names: dict[int, str]
    looks: dict[str, list[Sighting]]
    embeddings: dict[str, Floats]
    poor_looks: dict[str, list[Sighting]] = field(default_factory=dict)

    def faces(self, person: str, most: int) -> PersonFaces:
        """A person for the search."""
        return PersonFaces(person, tuple(look.face for look in self.looks[person][:most]))


def link_people(
    found: Scan,
    detector: Detector,
    scaled: CalibratedRecogniser,
    given: PeopleFile | None = None,
) -> People:
    """Group the tracks of a scan into people.

    Args:
        found: The scan; tracks that went on with somebody else are divided in it.
        detector: Finds a face again in its window.
        scaled: Recogniser and calibration: tracks nearer than its verification threshold are one
            person.
        given: Who is who, where somebody has said it.

    Raises:
        InputError: What was said is of other footage.
    """
    threshold = scaled.calibration.verification
    tracks = {}
    for track in found.looks:
        embedded = _embed(found.looks[track], detector, scaled)
        if embedded is not None:
            tracks[track] = embedded

    waiting = list(tracks)

    for track in waiting:  # grows while it is gone through: a track may turn out to be two
        seen = tracks[track]
        others = [_unit(tracks[number].rows.sum(0)) for number in tracks if number != track]
        other = divide(
            found, track, seen.frames, seen.rows, threshold, np.array(others, np.float32)
        )

        if other is not None:
            first = min(found.tracks[other])
            tracks[track], tracks[other] = seen.part(0, first), seen.part(first, found.frames)
            waiting += [track, other]

    if given is not None:
        _split(found, tracks, given)

    looks = {track: seen.by_quality() for track, seen in tracks.items()}
    embeddings = {track: seen.rows for track, seen in tracks.items()}
    names: dict[int, str] = {}
    person_looks: dict[str, list[Sighting]] = {}
    person_embeddings: dict[str, Floats] = {}
    poor_looks: dict[str, list[Sighting]] = {}

    if given is None:
        groups = group_tracks(embeddings, find_rivals(found.tracks), threshold)
        groups = join_unknown(groups, found.tracks)
        groups.sort(
            key=lambda group: (-sum(len(found.tracks[track]) for track in group), min(group))
        )
        who = {f"person_{number:03d}": group for number, group in enumerate(groups, 1)}
    else:
        who = _given_groups(given, set(found.tracks))

    for name, group in who.items():
        names |= dict.fromkeys(group, name)
        known = sorted(track for track in group if track in embeddings)

        if known:
            person_looks[name] = []
            for track in known:
                person_looks[name] += looks[track]

            person_embeddings[name] = np.concatenate(take(embeddings, known))
        else:
            poor_looks[name] = _poor_looks(found, group)

    return People(names, person_looks, person_embeddings, poor_looks)


def _poor_looks(found: Scan, tracks: set[int]) -> list[Sighting]:
    """What is to be had of somebody who cannot be known, the best first."""
    kept: list[Sighting] = []
    for track in sorted(tracks):
        # a look that was good enough, and in whose window no face was found again, says a little,
        # too
        for looks in (found.looks, found.poor_looks):
            kept += looks.get(track, Sightings()).best.values()

    return sorted(kept, key=lambda item: (-item.quality, item.frame))


def _split(found: Scan, tracks: "dict[int, _TrackEmbeddings]", given: PeopleFile) -> None:
    """Divide the tracks that somebody saw two people in."""
    for split in given.splits:
        own = found.tracks.get(split.track, {})
        inside = bool(own) and min(own) < split.frame <= max(own)
        # numbers are given in order, so that a file means the same tracks each time
        if not inside or split.new != max(found.tracks) + 1:
            raise _other_footage(f"no track {split.track} about frame {split.frame}")

        found.divide(split.track, split.frame)
        seen = tracks.pop(split.track, None)
        if seen is None:
            continue

        halves = {
            split.track: seen.part(0, split.frame),
            split.new: seen.part(split.frame, found.frames),
        }
        tracks.update({number: half for number, half in halves.items() if half.sightings})


def _given_groups(given: PeopleFile, there: set[int]) -> dict[str, set[int]]:
    """Tracks by person, as somebody has said it."""
    try:
        who = {person.id: set(map(int, person.parts)) for person in given.people}
    except ValueError as error:
        raise _other_footage("parts that are no tracks") from error

    said = set().union(*who.values())
    if said != there:
        odd = min(said ^ there)
        raise _other_footage(f"track {odd} on one side only")

    return {name: group for name, group in who.items() if group}


def _other_footage(found: str) -> InputError:
    hint = "write it anew with --find-only, with the same options for the footage"
    return InputError("--who", required="people of this very footage", found=found, hint=hint)


@dataclass(frozen=True)
class _TrackEmbeddings:
    """What a track is known by: sightings, frames, embeddings (n, d), in the order of frames."""

    sightings: tuple[Sighting, ...]
    rows: Floats

    @property
    def frames(self) -> list[int]:
        return [sighting.frame for sighting in self.sightings]

    def part(self, first: int, end: int) -> "_TrackEmbeddings":
        chosen = [i for i, frame in enumerate(self.frames) if first <= frame < end]
        return _TrackEmbeddings(tuple(take(self.sightings, chosen)), self.rows[chosen])

    def by_quality(self) -> list[Sighting]:
        """Sightings, the best first."""
        return sorted(self.sightings, key=lambda item: -item.quality)


def _embed(
    looks: Sightings, detector: Detector, scaled: CalibratedRecogniser
) -> _TrackEmbeddings | None:
    """Embed a track's looks; None where it has none."""
    sightings = sorted(looks.best.values(), key=lambda item: item.frame)
    seen = (
        detect_in_windows([sighting.face for sighting in sightings], detector)
        if sightings
        else None
    )
    if seen is None or not seen.kept:
        return None

    return _TrackEmbeddings(tuple(take(sightings, seen.kept)), seen.embed(scaled.recogniser))


def find_rivals(tracks: Mapping[int, Mapping[int, TrackedFace]]) -> dict[int, set[int]]:
    """Track to those that were seen beside it, and so are other people.

    Two that are nearer to each other than a face is wide may be two detections of one face that is
    half behind something, and a few unsure ones may be anything.
    """
    rivals: dict[int, set[int]] = {track: set() for track in tracks}
    spans = {track: (min(sightings), max(sightings)) for track, sightings in tracks.items()}

    for one, (begin, end) in spans.items():
        for two, (first, last) in spans.items():
            if (
                two > one
                and first <= end
                and begin <= last
                and _are_apart(tracks[one], tracks[two])
            ):
                rivals[one].add(two)
                rivals[two].add(one)

    return rivals


def _are_apart(one: Mapping[int, TrackedFace], two: Mapping[int, TrackedFace]) -> bool:
    """Whether two tracks were beside each other: once where both were sure, or often."""
    shared = [frame for frame in one if frame in two]
    if not shared:
        return False

    width = max(_median_width(one), _median_width(two))
    beside = 0

    for frame in shared:
        first = one[frame]
        second = two[frame]
        # sums of two corners lie twice as far apart as the centres do
        apart = np.linalg.norm(first.box[:2] + first.box[2:] - second.box[:2] - second.box[2:])
        if apart < 2 * width:
            continue

        beside += 1
        if first.source == second.source == "detected":
            return True

    return beside >= MIN_FRAMES_BESIDE


def _median_width(track: Mapping[int, TrackedFace]) -> float:
    """How wide a track's face is, in pixels."""
    return float(np.median([face.box[2] - face.box[0] for face in track.values()]))


def group_tracks(
    embeddings: Mapping[int, Floats], rivals: Mapping[int, set[int]], threshold: float
) -> list[set[int]]:
    """Join the nearest groups of tracks until none are nearer than the threshold.

    Groups of which two tracks are rivals are two people.

    Args:
        embeddings: Track to (n, d), rows of unit length.
        rivals: Track to those that are surely other people.
        threshold: Raw distance between the means of two groups, below which they are one person.
    """
    groups = [({track}, set(rivals[track]), rows.sum(0)) for track, rows in embeddings.items()]

    while True:
        best = threshold
        pair = None

        for i, (_, there, first) in enumerate(groups):
            for j in range(i):
                tracks, _, second = groups[j]
                if there & tracks:
                    continue

                distance = float(np.linalg.norm(_unit(first) - _unit(second)))
                if distance < best:
                    best = distance
                    pair = (i, j)

        if pair is None:
            return [tracks for tracks, _, _ in groups]

        i, j = pair
        joined = (
            groups[i][0] | groups[j][0],
            groups[i][1] | groups[j][1],
            groups[i][2] + groups[j][2],
        )
        groups = [group for k, group in enumerate(groups) if k not in pair] + [joined]


def join_unknown(
    groups: list[set[int]], tracks: Mapping[int, Mapping[int, TrackedFace]]
) -> list[set[int]]:
    """Add tracks without a usable look to the people whose tracks they continue, by place.

    Args:
        groups: Tracks of each person that is known.
        tracks: Track to frame to sighting.

    Returns:
        The groups, and those of unknown people.
    """
    groups = [set(group) for group in groups]
    known = set().union(*groups)

    for track in sorted(set(tracks) - known, key=lambda number: min(tracks[number])):
        nearest: set[int] | None = None
        fewest = float("inf")

        for group in groups:
            steps = _steps_to_group(track, group, tracks)
            if steps < fewest:
                fewest = steps
                nearest = group

        if nearest is None:
            groups.append({track})
        else:
            nearest.add(track)

    return groups


def _steps_to_group(
    track: int, group: set[int], tracks: Mapping[int, Mapping[int, TrackedFace]]
) -> float:
    """Frames from a track to the nearest one of a person; infinite where it is somebody else."""
    frames = set(tracks[track])
    # nobody is seen twice in one frame
    if any(frames & set(tracks[member]) for member in group):
        return float("inf")

    return min(_steps(tracks[track], tracks[other]) for other in group)


def _steps(one: Mapping[int, TrackedFace], two: Mapping[int, TrackedFace]) -> float:
    """Frames between two tracks of which one can go on as the other; infinite where it cannot."""
    first, second = (one, two) if min(one) < min(two) else (two, one)
    return float(min(second) - max(first)) if follows(first, second, MAX_GAP) else float("inf")


def match_people(people: People, known: Mapping[str, Floats], threshold: float) -> dict[str, str]:
    """Name people after the nearest known ones: person of the video to name.

    Strangers are left out.

    Args:
        people: Who is in the video.
        known: Name to embeddings (n, d) of pictures.
        threshold: Raw distance between means below which they are the same.
    """
    pairs: list[tuple[float, str, str]] = []
    for person, rows in people.embeddings.items():
        for name, theirs in known.items():
            distance = float(np.linalg.norm(_unit(rows.sum(0)) - _unit(theirs.sum(0))))
            pairs.append((distance, person, name))

    matched: dict[str, str] = {}

    # the nearest pair first: a person gets the nearest of several names
    for distance, person, name in sorted(pairs):
        if distance < threshold and person not in matched:
            matched[person] = name

    return matched


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
