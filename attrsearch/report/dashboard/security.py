"""Who may talk to a dashboard: this machine's own pages, or whoever has the token.

Never another site's page.
"""

import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from attrsearch.core.errors import InputError

COOKIE = "attrsearch-token"
SHORTEST_TOKEN = 16
LARGEST_BODY = 10_000
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Access:
    """Where a dashboard listens, and what it asks for.

    Attributes:
        host: Address to listen at.
        port: Port to listen at.
        token: What a visitor must show; empty where nobody needs one.

    Raises:
        InputError: An address other than loopback without a long token.
    """

    host: str
    port: int
    token: str = ""

    def __post_init__(self) -> None:
        if self.token and len(self.token) < SHORTEST_TOKEN:
            required = f"a token of at least {SHORTEST_TOKEN} characters"
            hint = f"--token {secrets.token_urlsafe(24)}"
            raise InputError("--token", required=required, found=f"{len(self.token)}", hint=hint)

        if not is_loopback(self.host) and not self.token:
            hint = f"add --token {secrets.token_urlsafe(24)}"
            raise InputError(
                "--host", required="a token, since others can reach it", found="none", hint=hint
            )

    @property
    def address(self) -> str:
        """What to type into a browser on this machine."""
        # compared, not bound: a browser cannot open the address that stands for all of them
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    def serves(self, host: str) -> bool:
        """Whether a ``Host`` header is one of ours.

        Another name that leads here is another site's trick.

        >>> access = Access("127.0.0.1", 8765)
        >>> access.serves("localhost:8765"), access.serves("evil.example:8765")
        (True, False)
        """
        name = urlsplit(f"//{host}").hostname or ""
        if is_loopback(name):
            return True

        return not is_loopback(self.host) and (name == self.host.lower() or _is_address(name))


class Guard:
    """Lets requests through that are ours.

    Args:
        app: The application.
        access: Where it listens.
        uploads: Where files may be put (``PUT``), as the start of a path; empty for nowhere.
    """

    def __init__(self, app: ASGIApp, access: Access, uploads: str = "") -> None:
        self._app = app
        self._access = access
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        request = Request(scope)
        refusal = self._refuse(request)

        async def guarded(message: object) -> None:
            if isinstance(message, dict) and message["type"] == "http.response.start":
                raw = [*message.get("headers", [])]
                raw += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = raw

            await send(message)  # type: ignore[arg-type]

        await (refusal or self._app)(scope, receive, guarded)

    def _refuse(self, request: Request) -> Response | None:
        headers = request.headers
        if not self._access.serves(headers.get("host", "")):
            return PlainTextResponse("this address is not the dashboard's", 421)
        puts = request.method == "PUT" and bool(self._uploads)
        is_file = puts and request.url.path.startswith(self._uploads)
        if request.method not in ("GET", "HEAD") and (reason := self._foreign(headers, is_file)):
            return PlainTextResponse(reason, 403)

        return self._without_token(request) if self._access.token else None

    def _foreign(self, headers: Headers, is_file: bool) -> str:
        """Why a change, or a file, is refused; empty where it comes from our own page."""
        origin = urlsplit(headers.get("origin", ""))
        if headers.get("origin") and (
            origin.scheme not in ("http", "https") or origin.netloc != headers.get("host")
        ):
            return "changes come from the dashboard's own page only"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "changes come from the dashboard's own page only"
        kind = "application/octet-stream" if is_file else "application/json"
        if headers.get("x-attrsearch") != "1" or not headers.get("content-type", "").startswith(
            kind
        ):
            return "changes are JSON with the header X-Attrsearch: 1"
        if is_file:
            return ""

        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return f"changes are of at most {LARGEST_BODY} bytes"

        return ""

    def _without_token(self, request: Request) -> Response | None:
        given = request.query_params.get("token", "")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        shown = [given, bearer, request.cookies.get(COOKIE, "")]
        token = self._access.token.encode()
        # how long the comparison takes must not tell how much of a guess was right
        if not any(hmac.compare_digest(token, value.encode()) for value in shown):
            return PlainTextResponse(
                "open the address with ?token=… that the dashboard printed", 401
            )

        if given and request.method == "GET":
            answer = RedirectResponse(request.url.path, 303)
            answer.set_cookie(COOKIE, self._access.token, httponly=True, samesite="strict")
            return answer

        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0")]
    [True, True, True, False]
    """
    if host.lower() == "localhost":
        return True

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    """Whether a name is a plain address: it cannot be pointed elsewhere, as a domain can."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False

    return True
