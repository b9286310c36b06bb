"""Write the committed corpus: ``python -m tests.untrusted.make_corpus``.

Every file is small and made here.
"""

from pathlib import Path

from tests.untrusted.mutations import pictures, png_bomb

CORPUS = Path(__file__).parent / "corpus"

SPACE = 'format = "attrsearch/space"\nversion = 1\npasses = "single"\n'

FILES: dict[str, bytes] = {
    # pictures that are none, or not what their names say
    "picture/postscript.jpg": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\nshowpage\n"
    ),
    "picture/huge.png": png_bomb(),
    "picture/cut.jpg": pictures()["a.jpg"][:200],
    "picture/no_end.webp": pictures()["a.webp"][:-40],
    "picture/svg.png": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "picture/empty.bmp": b"",
    "picture/loop.tif": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    # playlists that would make FFmpeg open other files and addresses
    "video/playlist.mp4": (
        b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    ),
    "video/address.mkv": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    "video/concat.avi": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "video/header.mp4": b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\xff\xff\xff\xffmoov",
    # numbers and depth
    "json/deep.json": b"[" * 20_000,
    "json/digits.json": b'{"format": "attrsearch/boxes", "boxes": [{"frame": '
    + b"9" * 5_000
    + b"}]}",
    "json/infinite.json": b'{"format": "attrsearch/calibration", "genuine": {"mean": 1e999}}',
    "json/surrogate.json": b'{"id": "\\ud800"}',
    "toml/deep.toml": b"a = " + b"[" * 5_000 + b"]" * 5_000,
    "toml/digits.toml": b"trials = " + b"9" * 5_000,
    "toml/dotted.toml": b".".join([b"a"] * 5_000) + b" = 1",
    "toml/time.toml": SPACE.encode() + b"male = 9999-12-31T23:59:60Z\n",
    "rows/nul.txt": b"1,1,\0,0,5,5\n",
    "rows/field.txt": b'"' + b"x" * 140_000 + b'",1\n',
    "rows/nan.txt": b"1,1,nan,0,5,5,1\n",
}


def main() -> None:
    """Write it."""
    for name, data in FILES.items():
        path = CORPUS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
