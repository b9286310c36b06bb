"""Link tracks into people by embedding, across gaps and scene cuts.

A track whose every look is too small or too turned to be known is never linked by them: it is the person who was seen
at its place just before or after, or a person of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.faces.detect import Detector
from attrsearch.faces.people import Face, PersonFaces
from attrsearch.faces.recognise import Scaled
from attrsearch.faces.seen import see
from attrsearch.video.scan import Scan
from attrsearch.video.swaps import divide
from attrsearch.video.timeline import follows
from attrsearch.video.tracks import TrackedFace

Floats = npt.NDArray[np.float32]

SOON = 8
"""A track that nobody can be known by is the person who was seen there at most this many frames before or after."""


@dataclass(frozen=True)
class People:
    """Who is in a video.

    Attributes:
        names: Track to the name of its person, ``person_001`` and so on by how long they are seen.
        looks: Person to their best looks, the best first; persons without a look good enough are not in it.
        embeddings: Person to the embeddings (n, d) of those looks.
    """

    names: dict[int, str]
    looks: dict[str, list[Face]]
    embeddings: dict[str, Floats]

    def faces(self, person: str, most: int) -> PersonFaces:
        """A person for the search."""
        return PersonFaces(person, tuple(self.looks[person][:most]))


def link_people(found: Scan, detector: Detector, scaled: Scaled) -> People:
    """Group the tracks of a scan into people.

    Args:
        found: The scan; tracks that went on with somebody else are divided in it.
        detector: Finds a face again in its window.
        scaled: Recogniser and calibration: tracks nearer than its verification threshold are one person.
    """
    threshold = scaled.calibration.verification
    looks: dict[int, list[Face]] = {}
    embeddings: dict[int, Floats] = {}
    waiting = list(found.looks)
    for track in waiting:  # grows while it is gone through: a track may turn out to be two
        sightings = found.looks[track].sorted()
        seen = see([sighting.face for sighting in sightings], detector) if sightings else None
        if seen is None or not seen.kept:
            continue
        rows, frames = seen.embed(scaled.recogniser), [sightings[i].frame for i in seen.kept]
        order = np.argsort(frames)
        other = divide(found, track, [frames[i] for i in order], rows[order], threshold)
        if other is not None:
            waiting += [track, other]
            continue
        looks[track], embeddings[track] = [sightings[i].face for i in seen.kept], rows
    groups = group_tracks(embeddings, {t: set(found.tracks[t]) for t in found.tracks}, threshold)
    groups = join_unknown(groups, found.tracks)
    groups.sort(key=lambda group: (-sum(len(found.tracks[track]) for track in group), min(group)))
    names: dict[int, str] = {}
    person_looks: dict[str, list[Face]] = {}
    person_embeddings: dict[str, Floats] = {}
    for number, group in enumerate(groups, 1):
        name = f"person_{number:03d}"
        names |= dict.fromkeys(group, name)
        known = sorted(track for track in group if track in embeddings)
        if known:
            person_looks[name] = [face for track in known for face in looks[track]]
            person_embeddings[name] = np.concatenate([embeddings[track] for track in known])
    return People(names, person_looks, person_embeddings)


def group_tracks(
    embeddings: Mapping[int, Floats], frames: Mapping[int, set[int]], threshold: float
) -> list[set[int]]:
    """Join the nearest groups of tracks until none are nearer than the threshold.

    Two tracks that share a frame are two people, and so are the groups they are in.

    Args:
        embeddings: Track to (n, d), rows of unit length.
        frames: Track to the frames it was seen in.
        threshold: Raw distance between the means of two groups, below which they are one person.
    """
    groups = [({track}, frames[track], rows.sum(0)) for track, rows in embeddings.items()]
    while True:
        best, pair = threshold, None
        for i, (_, there, first) in enumerate(groups):
            for j in range(i):
                _, other, second = groups[j]
                if there & other:
                    continue
                apart = float(np.linalg.norm(_unit(first) - _unit(second)))
                if apart < best:
                    best, pair = apart, (i, j)
        if pair is None:
            return [tracks for tracks, _, _ in groups]
        i, j = pair
        joined = (groups[i][0] | groups[j][0], groups[i][1] | groups[j][1], groups[i][2] + groups[j][2])
        groups = [group for k, group in enumerate(groups) if k not in pair] + [joined]


def join_unknown(groups: list[set[int]], tracks: Mapping[int, Mapping[int, TrackedFace]]) -> list[set[int]]:
    """Add tracks that nobody can be known by to the people they go on from, or go on as, by where they are.

    Args:
        groups: Tracks of each person that is known.
        tracks: Track to frame to sighting.

    Returns:
        The groups, and those of unknown people.
    """
    groups = [set(group) for group in groups]
    known = set().union(*groups)
    for track in sorted(set(tracks) - known, key=lambda number: min(tracks[number])):
        frames = set(tracks[track])
        near = [
            (_steps(tracks[track], tracks[other]), place)
            for place, group in enumerate(groups)
            if not any(frames & set(tracks[member]) for member in group)
            for other in group
        ]
        steps, place = min(near, default=(float("inf"), -1))
        if steps < float("inf"):
            groups[place].add(track)
        else:
            groups.append({track})
    return groups


def _steps(one: Mapping[int, TrackedFace], two: Mapping[int, TrackedFace]) -> float:
    """Frames between two tracks of which one can go on as the other; infinite where it cannot."""
    first, second = (one, two) if min(one) < min(two) else (two, one)
    return float(min(second) - max(first)) if follows(first, second, SOON) else float("inf")


def match_people(people: People, known: Mapping[str, Floats], threshold: float) -> dict[str, str]:
    """Name people after the nearest known ones: person of the video to name; strangers are left out.

    Args:
        people: Who is in the video.
        known: Name to embeddings (n, d) of pictures.
        threshold: Raw distance between means below which they are the same.
    """
    pairs = sorted(
        (float(np.linalg.norm(_unit(rows.sum(0)) - _unit(theirs.sum(0)))), person, name)
        for person, rows in people.embeddings.items()
        for name, theirs in known.items()
    )
    matched: dict[str, str] = {}
    for apart, person, name in pairs:
        if apart < threshold and person not in matched:
            matched[person] = name
    return matched


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
