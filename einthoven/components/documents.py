"""A page as one self-contained file: template, style and policy put together, no network.

`templates/style.css` is what the page in `web/` imports, too; `document.css` is what a page to read
and to print adds, for a phone, a desk and A4 alike.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import jinja2

from einthoven.components import millimetre
from einthoven.components.words import count, number, percent

_CALIPERS = "calipers.js"
_FILTERS: dict[str, Callable[..., str]] = {
    "percent": lambda value, digits=2: percent(value, digits).replace("-", "–"),
    "count": lambda value: count(value).replace("-", "–"),
    "number": number,
}


def document(
    package: str,
    template: str,
    *,
    measured: bool = False,
    filters: dict[str, Callable[..., str]] | None = None,
    **values: Any,
) -> str:
    """Render `template` of a room's `templates/` folder, which extends `document.html.j2`.

    `measured`: it has strips, so it carries the calipers, the one script that its policy allows.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package), jinja2.PackageLoader("einthoven.components")]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= _FILTERS | (filters or {})
    script = environment.get_template(_CALIPERS).render() if measured else ""
    return environment.get_template(template).render(
        policy=policy(script), script=script, paper=millimetre.PAPER if measured else "", **values
    )


def tile(what: str, value: str, unit: str, more: str, tone: str = "") -> dict[str, str]:
    """A figure in large letters, as the macro `tiles` shows it. `tone`: good, bad or neither."""
    return {"what": what, "value": value, "unit": unit, "more": more, "tone": tone}


def policy(script: str) -> str:
    """The Content-Security-Policy of a page: no request, and no script but this one, if any."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"script-src 'sha256-{digest}'; " if script else ""
    return f"default-src 'none'; {scripts}style-src 'unsafe-inline'; form-action 'none'"
