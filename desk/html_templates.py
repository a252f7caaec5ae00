"""The Jinja environment of the desk's HTML pages."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from the_alchemiser.shared import formats

_WORD_JOINER = "\N{WORD JOINER}"
_FILTERS = (
    "money",
    "signed_money",
    "percent",
    "signed_percent",
    "change",
    "price",
    "shares",
    "long_date",
    "plural",
    "words",
)


def template_environment() -> Environment:
    """Return an environment that loads `desk/templates`, escapes HTML and rejects undefined names.

    Its filters are our formats of numbers and dates. A negative amount stays on one line.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_keep_whole,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(formats, name) for name in _FILTERS})
    return environment


def _keep_whole(value: Any) -> Any:
    """Join a minus sign to its dollar sign, because a browser may break the line between them. Source: UAX 14, LB25."""
    if isinstance(value, str):
        return value.replace(f"{formats.MINUS}$", f"{formats.MINUS}{_WORD_JOINER}$")
    return value
