"""HTML whose values are all escaped."""

from collections.abc import Iterable
from string import Formatter

from the_alchemiser.shared.mail_format.safe_text import printable

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


class Html(str):
    """Text that is HTML already, from `fill` or `joined`. What any other function makes of it is escaped again."""

    __slots__ = ()


class _Escaping(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        text = format(value, format_spec)
        return text if isinstance(value, Html) else printable(text).translate(_ESCAPES)


_ESCAPING = _Escaping()


def fill(template: str, *values: object, **named: object) -> Html:
    """Return the template with its fields filled like those of `str.format`; a value that is not Html is escaped.

    Args:
        template: a literal, never text from elsewhere.
    """
    return Html(_ESCAPING.vformat(template, values, named))


def joined(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))
