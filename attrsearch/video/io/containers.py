"""Which files are videos, and which of a file's tracks is the film.

By what is in them, not by their names.
"""

from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

VIDEO_SUFFIXES = frozenset(
    {
        ".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg",
        ".vob", ".flv", ".wmv", ".asf", ".3gp", ".3g2", ".ogv", ".mxf", ".dv", ".h264", ".h265",
        ".hevc",
    }
)  # fmt: skip
FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,h264,hevc,h263,m4v,av1,obu,ivf,"
    "dv,mxf,nut,rm,wtv,dirac,vc1,mjpeg,image2,rawvideo,yuv4mpegpipe"
)
SAFE = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
"""What FFmpeg may open of a file: itself, and no playlist that names other files or addresses."""
STILLS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif", ".jfif"}
)
"""Names of single pictures, which FFmpeg would open as videos of one frame."""
NO_VIDEOS = frozenset({".json", ".txt", ".csv", ".toml", ".html", ".parquet", ".srt", ".ass"})
LIVE = ("/dev/video", "rtsp://", "rtmp://", "http://", "https://", "udp://", "tcp://")


def is_live(source: str) -> bool:
    """Whether a source is a camera, an address or standard input, which can be read once only.

    >>> is_live("-"), is_live("/dev/video0"), is_live("street.mp4")
    (True, True, False)
    """
    return source == "-" or source.startswith(LIVE)


def is_video(path: Path) -> bool:
    """Whether a file is a video: by its name, or else by its content.

    >>> is_video(Path("street.MP4")), is_video(Path("face.jpg"))
    (True, False)
    """
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return True
    if suffix in STILLS | NO_VIDEOS or not path.is_file():
        return False

    return _moves(path)


def _moves(path: Path) -> bool:
    """Whether a file opens as a video of two frames or more."""
    try:
        # "file:" says that a name with a colon in it is no address
        with av.open(f"file:{path}", options=dict(SAFE)) as container:
            film = find_film(container)
            if film is None:
                return False

            frames = 0
            for packet in container.demux(film):
                frames += len(packet.decode())
                if frames > 1:
                    return True
    except (av.error.FFmpegError, OSError, ValueError):
        return False

    return False


def find_film(container: Any) -> Any | None:
    """The film among a container's tracks; None where it has no pictures.

    Cover art is not the film, wherever it stands; of several films the one marked as default, else
    the first.
    """
    films = [stream for stream in container.streams.video if not is_cover(stream)]
    marked = [stream for stream in films if stream.disposition & Disposition.default]
    return next(iter(marked or films), None)


def is_cover(stream: Any) -> bool:
    """Whether a track of pictures is cover art or thumbnails."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))
