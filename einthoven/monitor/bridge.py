"""A board's wire in a browser: the page over HTTP, and its bytes over a WebSocket beside it.

`GET /` gives the page. `/link?token=…` is the cable: binary frames hold the wire's bytes as they
are, both ways, cut anywhere; nothing here reads them. One client at a time; the board's link is
open as long as the client's. websockets does both protocols, and needs no other package.

Who may come in, when a browser is told to go anywhere by any page that it shows:

- the token, random in each run, is in the printed address behind `#`: it goes to no server, and
  the page, which anybody may read, does not hold it;
- `Host` has to be an address, `localhost` or what --host named: a foreign name that resolves to
  this machine (DNS rebinding) is none;
- `Origin`, which no script can forge, has to be the page's own.
"""

import ipaddress
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import Server, ServerConnection, serve

from einthoven.boards.patience import watched
from einthoven.errors import BoardError, LinkError, UsageError
from einthoven.hil_tests.harness.links import Link, PortLostError, open_link

NOT_BYTES, BUSY, GONE = 1003, 4001, 4002
"""Close codes: a text frame; another client has the board; the board does not answer."""
_LOOK_S = 0.05
_RELOAD_S = 1.0
_LEAVE_S = 60.0
"""A connection that has begun to end takes milliseconds; this is for a very busy machine."""
_MOST_BYTES = 65536
"""Of one frame from the client; a frame of the wire has 256."""
_REASON_BYTES = 120
"""A close frame takes 123."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the page brings the rest itself
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Bridge:
    """Serves `page` and the board at `url`. Use `serving`."""

    def __init__(self, url: str, baud: int, page: str, host: str) -> None:
        self.token = secrets.token_urlsafe(16)
        self._url, self._baud, self._page, self._host = url, baud, page.encode(), host
        self._client = threading.Lock()
        self._holder: ServerConnection | None = None
        self._over = threading.Event()

    @contextmanager
    def serving(self, port: int) -> Iterator[str]:
        """Yield the address for the browser, token included; `port` 0: any that is free.

        Raises UsageError if it cannot be had.
        """
        try:
            server = serve(
                self._handle,
                self._host,
                port,
                process_request=self._request,
                compression=None,  # the wire's bytes do not shrink
                max_size=_MOST_BYTES,
                server_header=None,
            )
        except OSError as error:
            raise UsageError(
                f"cannot serve on {self._host}, port {port} ({error.strerror or error}): "
                "choose another --http-port or --host"
            ) from None
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self._address(server)
        finally:
            self._over.set()
            server.shutdown()
            thread.join()
            with self._client:  # a client that is there is told
                pass

    def look(self) -> None:
        """Raises LinkError if the board's process has ended."""
        process = watched(self._url)
        if process is not None and (how := process.ending()):
            words = process.last_words()
            raise LinkError(
                f"the board is gone: its program {how}" + (f"; it said: {words}" if words else "")
            )

    def _address(self, server: Server) -> str:
        host, port = server.socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        if ipaddress.ip_address(host).is_unspecified:
            shown = "localhost"
        return f"http://{shown}:{port}/#token={self.token}"

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        """The page, or why not; None: a WebSocket may be opened."""
        host = request.headers.get("Host", "")
        path = urlsplit(request.path)
        if not self._is_own(host):
            return _answer(421, "Misdirected Request", f"this is not {host}: use the address shown")
        if path.path == "/":
            return _answer(200, "OK", self._page, "text/html; charset=utf-8")
        if path.path != "/link":
            return _answer(404, "Not Found", "there is / and /link")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return _answer(403, "Forbidden", f"{origin} is not this page")
        given = parse_qs(path.query).get("token", [""])[0]
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return _answer(403, "Forbidden", "the token is wrong: use the address shown")
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name in ("localhost", self._host.lower()):
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _handle(self, client: ServerConnection) -> None:
        if not self._take(client):
            client.close(BUSY, "another page has the board: close that one first")
            return
        try:
            link = open_link(self._url, self._baud)
            try:
                self._carry(client, link)
            finally:
                link.close()
        except BoardError as error:
            client.close(GONE, _reason(str(error)))
        finally:
            self._holder = None
            self._client.release()

    def _take(self, client: ServerConnection) -> bool:
        """Whether the board is this client's now. One that leaves is waited for: a page that is
        loaded anew comes while its old connection ends."""
        if not self._client.acquire(timeout=_RELOAD_S):
            holder = self._holder
            leaves = holder is None or holder.state is not State.OPEN
            if not leaves or not self._client.acquire(timeout=_LEAVE_S):
                return False
        self._holder = client
        return True

    def _carry(self, client: ServerConnection, link: Link) -> None:
        """Bytes both ways, until one side ends."""
        hung_up = threading.Event()
        inward = threading.Thread(target=_to_board, args=(client, link, hung_up), daemon=True)
        inward.start()
        try:
            while not self._over.is_set() and not hung_up.is_set():
                if data := link.read(_LOOK_S):
                    client.send(data)
            client.close(1001 if self._over.is_set() else 1000)
        except ConnectionClosed:
            pass
        except PortLostError as error:
            client.close(GONE, _reason(f"the board is gone: {error}"))
        inward.join()


def _to_board(client: ServerConnection, link: Link, hung_up: threading.Event) -> None:
    try:
        for data in client:
            if isinstance(data, str):
                client.close(NOT_BYTES, "binary frames only")
                break
            link.write(data)
    except PortLostError as error:
        client.close(GONE, _reason(f"the board is gone: {error}"))
    except ConnectionClosed:
        pass
    finally:
        hung_up.set()


def _reason(text: str) -> str:
    return text.encode()[:_REASON_BYTES].decode(errors="ignore")


def _answer(
    status: int, phrase: str, body: bytes | str, kind: str = "text/plain; charset=utf-8"
) -> Response:
    data = body.encode() + b"\n" if isinstance(body, str) else body
    headers = Headers(_HEADERS)
    headers["Content-Type"] = kind
    headers["Content-Length"] = str(len(data))
    headers["Connection"] = "close"
    return Response(status, phrase, headers, data)


def run(bridge: Bridge, stopped: Callable[[], bool], wait: Callable[[float], object]) -> None:
    """Until somebody asks for an end. Raises LinkError when the board's process has ended."""
    while not stopped():
        wait(_LOOK_S)
        bridge.look()
