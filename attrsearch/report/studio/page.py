"""The studio's one page and its files: all of them ours, none from elsewhere."""

from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

OWN = Path(__file__).parent / "assets"
SHARED = OWN.parent.parent / "assets"
FILES = {
    "base.css": SHARED,
    "core.js": SHARED,
    **{path.name: OWN for path in sorted(OWN.iterdir()) if path.suffix in (".css", ".js")},
}
TYPES = {".css": "text/css", ".js": "text/javascript"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page() -> Response:
    """The page."""
    text = (OWN / "studio.html").read_text(encoding="utf-8")
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})


def asset(name: str) -> Response:
    """A style sheet or script of the page."""
    if name not in FILES:
        return PlainTextResponse("no such file", 404)

    path = FILES[name] / name
    return FileResponse(path, media_type=TYPES[path.suffix])
