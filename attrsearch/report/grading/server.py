"""The page on which a person grades edits: served on this machine only, one picture at a time."""

import json
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from attrsearch.core.errors import AttrsearchError, UnavailableError
from attrsearch.report.grading.grades import GRADES, edits_of, read_grades, write_grade

HOST = "127.0.0.1"
MAX_BODY = 10_000


class GradingServer(ThreadingHTTPServer):
    """Serves the page of one run on the loopback interface; requests need the token in its address.

    Args:
        run: The run's folder.
        port: 0 for any free one.

    Raises:
        InputError: The folder holds no run with pictures.
        UnavailableError: The port is taken.
    """

    daemon_threads = True

    def __init__(self, run: Path, port: int = 0) -> None:
        self.run = run
        self.edits = edits_of(run)
        self.token = secrets.token_urlsafe(16)
        environment = Environment(
            loader=PackageLoader("attrsearch.report.grading"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
        )
        self.template = environment.get_template("grade.html.j2")

        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            hint = "choose another --port, or 0 for a free one"
            raise UnavailableError(
                f"port {port}", required="a free port", found=str(error), hint=hint
            ) from error

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.server_port}/?token={self.token}"


class _Handler(BaseHTTPRequestHandler):
    server: GradingServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        query = parse_qs(urlsplit(self.path).query)
        if not self._allowed(query.get("token", [""])[0]):
            return

        if path == "/":
            graded = read_grades(self.server.run)
            waiting = [edit.picture for edit in self.server.edits]
            page = self.server.template.render(
                pictures=waiting,
                graded=graded,
                grades=GRADES,
                token=self.server.token,
                run=self.server.run.name,
            )
            self._send(HTTPStatus.OK, page.encode(), "text/html; charset=utf-8")
        elif path == "/picture" and self._is_shown(query.get("name", [""])[0]):
            picture = self.server.run / query["name"][0]
            self._send(HTTPStatus.OK, picture.read_bytes(), "image/jpeg")
        else:
            self._send(HTTPStatus.NOT_FOUND, b"no such page", "text/plain")

    def do_POST(self) -> None:
        if not self._allowed(self.headers.get("X-Token", "")):
            return

        length = int(self.headers.get("Content-Length") or 0)
        try:
            given = json.loads(self.rfile.read(min(length, MAX_BODY)))
            write_grade(
                self.server.run, self.server.edits, str(given["picture"]), str(given["grade"])
            )
        except (AttrsearchError, ValueError, KeyError, TypeError) as error:
            self._send(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain; charset=utf-8")
        else:
            self._send(HTTPStatus.OK, b"{}", "application/json")

    def _is_shown(self, name: str) -> bool:
        # by name among those of the page: no path from outside is ever joined to the run's
        return any(edit.picture == name for edit in self.server.edits)

    def _allowed(self, token: str) -> bool:
        # another name for this machine may be a web page's, which asks with its visitor's rights
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host in (HOST, "localhost") and secrets.compare_digest(
            token.encode(), self.server.token.encode()
        ):
            return True

        self._send(
            HTTPStatus.FORBIDDEN, b"open the address that attrsearch grade printed", "text/plain"
        )
        return False

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet."""
