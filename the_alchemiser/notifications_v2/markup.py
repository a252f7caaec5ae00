"""HTML whose values are all escaped, and the blocks of a mail. Styles are inline: mail programs drop style sheets."""

from collections.abc import Iterable, Sequence
from string import Formatter

from the_alchemiser.shared.records import Frozen

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"


class Html(str):
    """Text that is HTML already, from `fill` or `joined`. What any other function makes of it is escaped again."""

    __slots__ = ()


class _Escaping(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        text = format(value, format_spec)
        return text if isinstance(value, Html) else text.translate(_ESCAPES)


_ESCAPING = _Escaping()


def fill(template: str, *values: object, **named: object) -> Html:
    """Return the template with its fields filled like those of `str.format`; a value that is not Html is escaped.

    Args:
        template: a literal, never text from elsewhere.
    """
    return Html(_ESCAPING.vformat(template, values, named))


def joined(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


class Page(Frozen):
    """The parts of a mail that its kind decides.

    Attributes:
        colour: of the bar with the title.
        preview: what a list of mails shows beside the subject.
        body: blocks.
        footer: empty, or sentences that end in a break.
    """

    colour: str
    preview: str
    body: Iterable[Html]
    footer: Html


def render(page: Page, *, subject: str, stage: str, title: str, stamp: str) -> Html:
    """Return the whole mail.

    Args:
        stamp: id and time of the message.
    """
    return fill(
        """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light">
<title>{subject}</title>
</head>
<body style="margin:0;padding:0;background:#eef1f5;{font}">
<div style="display:none;max-height:0;overflow:hidden;">{page.preview}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#eef1f5;">
<tr><td align="center" style="padding:24px 12px;">
<table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0" style="width:100%;max-width:640px;\
background:#ffffff;border:1px solid #e3e8ef;">
<tr><td style="background:{page.colour};padding:20px 32px;{font}">
<div style="font-size:13px;line-height:18px;color:#ffffff;">The Alchemiser &middot; {stage}</div>
<h1 style="margin:2px 0 0;font-size:22px;line-height:30px;font-weight:600;color:#ffffff;">{title}</h1>
</td></tr>
<tr><td style="padding:24px 32px 28px;{font}color:#1b2330;">
{body}</td></tr>
<tr><td style="padding:16px 32px;border-top:1px solid #e3e8ef;{font}font-size:12px;line-height:18px;color:#5d6b7e;">
{page.footer}Message {stamp}.
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
""",
        font=_FONT,
        subject=subject,
        stage=stage,
        page=page,
        title=title,
        body=joined(page.body),
        stamp=stamp,
    )


def heading(text: str) -> Html:
    return fill(
        '<h2 style="margin:28px 0 8px;font-size:13px;line-height:18px;font-weight:600;letter-spacing:.06em;'
        'text-transform:uppercase;color:#5d6b7e;">{}</h2>\n\n',
        text,
    )


def paragraph(body: Html | str) -> Html:
    return fill('<p style="margin:0 0 12px;font-size:16px;line-height:25px;color:#1b2330;">{}\n</p>\n', body)


def note(body: Html | str, *, colour: str, ground: str) -> Html:
    """Return a box with a bar of one colour at its left side, over the other."""
    return fill(
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:16px 0;">'
        '<tr><td style="background:{ground};border-left:4px solid {colour};padding:14px 18px;font-size:15px;'
        'line-height:23px;color:#1b2330;">{body}</td></tr></table>\n',
        ground=ground,
        colour=colour,
        body=body,
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Html:
    """Return a table; the first columns, `left` of them, are aligned to the left.

    Mail programs cut off what is longer than 102 kB, so a cell has as few bytes as possible: the table has the style.
    """
    return fill(
        '<table role="table" width="100%" cellpadding="6" cellspacing="0" border="0" style="width:100%;'
        "border-collapse:collapse;font-size:14px;line-height:20px;color:#1b2330;font-variant-numeric:tabular-nums;"
        '">{}{}</table>\n',
        _head(head, left),
        joined(_row(row, left) for row in rows),
    )


def _head(cells: Sequence[str], left: int) -> Html:
    columns = (
        fill('<th scope="col" align="{}">{}</th>', "left" if number < left else "right", cell)
        for number, cell in enumerate(cells)
    )
    return fill(
        '<tr align="right" style="border-bottom:1px solid #c3ccd8;font-size:12px;color:#5d6b7e;">{}</tr>\n\n',
        joined(columns),
    )


def _row(cells: Sequence[str], left: int) -> Html:
    return fill(
        '<tr align="right" style="border-bottom:1px solid #e3e8ef;">'
        '<td align="left" nowrap><b>{}</b></td>{}{}</tr>\n\n',
        cells[0],
        joined(fill('<td align="left">{}</td>', cell) for cell in cells[1:left]),
        joined(fill("<td>{}</td>", cell) for cell in cells[left:]),
    )


def steps(items: Iterable[Html | str]) -> Html:
    """Return a numbered list."""
    return fill(
        '<ol style="margin:0 0 12px;padding-left:20px;font-size:15px;line-height:24px;">\n{}</ol>\n',
        joined(fill('<li style="margin-bottom:6px;">{}</li>\n', item) for item in items),
    )
