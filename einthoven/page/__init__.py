"""The page that speaks to a board from a browser: one HTML file, built from `web/` by `make page`.

What is built is kept beside this file, so that a wheel, or a checkout without Node.js, has it; a
test builds it again and compares the bytes.
"""

from functools import cache

from einthoven.errors import UsageError
from einthoven.paths import PACKAGE

PAGE = PACKAGE / "page" / "page.html"
_NO_REQUEST = "connect-src 'none'"
_OWN_ORIGIN = "connect-src 'self'"


@cache
def html(served: bool = False) -> str:
    """The page's text. Its policy forbids every request.

    `served`: by a program that has a WebSocket at `/link?token=…` of the same origin, whose binary
    frames are the wire's bytes, both ways; requests to that origin, and to no other, are allowed
    then. The page takes the token from its own address: `#token=…` or `?token=…`.
    Raises UsageError where it has not been built.
    """
    try:
        text = PAGE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError("the page has not been built: run `make page`") from None
    if text.count(_NO_REQUEST) != 1:
        raise UsageError("the page was built without its policy: run `make page`")
    return text.replace(_NO_REQUEST, _OWN_ORIGIN) if served else text
