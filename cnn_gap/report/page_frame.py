"""The frame of a page for a browser: a single file that loads nothing.

Its security policy (https://www.w3.org/TR/CSP3/) allows, by their hashes, the one script and the one style
sheet of the page, and the scripts and style sheets of the pages that it shows inside. It allows nothing else,
so that no text of a record can be executed.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType

#: The style sheets of each kind of page, in the order in which they are joined.
STYLES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "record": ("colours", "style", "reading", "record"),
        "index": ("colours", "style", "index"),
        "long": ("colours", "style", "reading", "long"),
    }
)

#: The scripts of each kind of page, in the order in which they are joined.
SCRIPTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "record": ("shared", "layout", "tracings", "map", "median", "lists", "calipers", "record"),
        "index": ("shared", "search", "index"),
        "long": ("shared", "recording", "overview", "disclosure", "strip", "long"),
    }
)

#: The kinds of pages that a page shows inside it.
INSIDE: Mapping[str, Sequence[str]] = MappingProxyType({"long": ("record",)})

#: The line of a template that `head.html` replaces: both pages of records have the same head.
_HEAD = "$head\n"

#: The folder of the templates, scripts and styles of pages.
PAGE_ASSETS = Path(__file__).parent / "page_assets"


def framed(kind: str, title: str, template: str, **parts: str) -> str:
    """Return a page.

    Parameters
    ----------
    kind : str
        A key of `SCRIPTS`, the class of the page's body.
    title : str
    template : str
        Name of the file of the page's body. A line ``$head`` is the head that pages of records share.
    **parts : str
        HTML for the template's places; texts of records must be escaped.
    """
    style, script = _style(kind), _script(kind)
    inside = [text for each in INSIDE.get(kind, ()) for text in (_style(each), _script(each))]
    return Template(asset("frame.html")).substitute(
        kind=kind,
        title=escape(title),
        policy=_policy([style, *inside[::2]], [script, *inside[1::2]]),
        style=style,
        script=script,
        body=Template(asset(template).replace(_HEAD, asset("head.html"))).substitute(parts),
    )


def embedded(data: object) -> str:
    """Return data as JSON without `<`, so that it cannot end the script element around it."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def asset(name: str) -> str:
    """Return the text of a file of the pages."""
    return (PAGE_ASSETS / name).read_text(encoding="utf-8")


def _style(kind: str) -> str:
    return "".join(asset(f"{name}.css") for name in STYLES[kind])


def _script(kind: str) -> str:
    return "".join(asset(f"{name}.js") for name in SCRIPTS[kind])


def _policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    allowed = f"style-src {_hashes(styles)}; script-src {_hashes(scripts)}; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hashes(texts: Sequence[str]) -> str:
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)
