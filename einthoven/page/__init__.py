"""The page that speaks to a board from a browser: one HTML file, built from `web/` by `make page`.

What is built is kept beside this file, so that a wheel, or a checkout without Node.js, has it; a
test builds it again and compares the bytes.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import PACKAGE

PAGE = PACKAGE / "page" / "page.html"
_NO_REQUEST = "connect-src 'none'"
_OWN_ORIGIN = "connect-src 'self'"
FIRMWARE_FORMAT = 1
"""Of the manifest that `with_firmware` puts into the page."""


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


def with_firmware(page: str, manifest: Mapping[str, Any]) -> str:
    """The page with images that it can write into boards (`einthoven.fleet.page_images`).

    They stand in an element of data, which no browser runs and the policy therefore need not name.
    """
    data = json.dumps(manifest, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
    head, end, tail = page.rpartition("</body>")
    return f'{head}<script type="application/json" id="firmware">{data}</script>\n  {end}{tail}'
