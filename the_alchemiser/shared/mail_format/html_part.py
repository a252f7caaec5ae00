"""The HTML part of a mail: its frame, and which rows of long lists fit. Pure.

Each style that a reader needs is inline, because some mail programs drop style sheets; the one here adds what only a
style sheet can: a dark mode, and the width of a phone.
"""

from collections.abc import Sequence

from the_alchemiser.shared.mail_format.blocks import Page, Tone
from the_alchemiser.shared.mail_format.html_blocks import inline, render_block
from the_alchemiser.shared.mail_format.markup import Html, fill, joined
from the_alchemiser.shared.mail_format.safe_text import cut

BYTES_AT_MOST = 99_000
"""Gmail cuts off what comes after 102 kB."""

_COLOURS = {Tone.GOOD: "#1f6f54", Tone.WARNING: "#8a5a00", Tone.BAD: "#9b2226"}
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
_STYLES = fill("""<style>
:root{{color-scheme:light dark;supported-color-schemes:light dark}}
code{{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em;overflow-wrap:anywhere}}
@media (max-width:520px){{
.o{{padding:0!important}}
.p{{padding-left:16px!important;padding-right:16px!important}}
.f td{{display:block!important;width:auto!important;border-left:0!important;padding:6px 16px!important}}
.f div{{display:inline!important}}
.f .v{{float:right}}
.d table{{font-size:13px!important}}
.d th,.d td{{padding:5px 3px!important}}
}}
@media (prefers-color-scheme:dark){{
.g{{background:#0f141a!important}}
.c{{background:#1a212b!important;border-color:#303b49!important}}
.t,.t p,.t li,.t table{{color:#e8edf3!important}}
.m,.t .m,.d tr:first-child,.t h2{{color:#a3b1c2!important}}
.l,.f,.f td,.d tr{{border-color:#303b49!important}}
.ng,.nw,.nb{{color:#e8edf3!important}}
.ng{{background:#12302a!important}}
.nw{{background:#372c12!important}}
.nb{{background:#3d1d20!important}}
}}
</style>""")


def html_part(page: Page, *, subject: str) -> Html:
    """Return the HTML part of a mail, shorter than what mail programs show.

    Lists that are too long end earlier, and say how much is left out, and where it is.
    """
    parts = tuple(render_block(block, BYTES_AT_MOST) for block in page.blocks)
    fixed = _size(_framed(page, subject, joined(part.with_items(0) for part in parts)))
    limits = fair_shares([part.size_bytes for part in parts], BYTES_AT_MOST - fixed)

    body = joined(part.with_items(part.fitting(limit)) for part, limit in zip(parts, limits, strict=True))
    return _framed(page, subject, body)


def fair_shares(wanted: Sequence[int], room: int) -> list[int]:
    """Share the room: those that want little get all of it, the others equal parts of what is left."""
    shares = [0] * len(wanted)
    left = max(room, 0)
    for done, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[index] = min(wanted[index], left // (len(wanted) - done))
        left -= shares[index]
    return shares


def _size(html: Html) -> int:
    return len(html.encode())


def _head(subject: str) -> Html:
    return fill(
        """<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{}</title>
{}
</head>
""",
        subject,
        _STYLES,
    )


def _framed(page: Page, subject: str, body: Html) -> Html:
    return fill(
        """<!doctype html>
<html lang="en">
{head}<body class="g" style="margin:0;padding:0;background:#eef1f5;{font}">
<div style="display:none;max-height:0;overflow:hidden;">{preview}</div>
<table class="g" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="background:#eef1f5;">
<tr><td class="o" align="center" style="padding:24px 12px;">
<table class="c" role="presentation" width="680" cellpadding="0" cellspacing="0" border="0" \
style="width:100%;max-width:680px;background:#ffffff;border:1px solid #e3e8ef;">
<tr><td class="p" style="background:{colour};padding:20px 32px;{font}">
<div style="font-size:13px;line-height:18px;color:#ffffff;">{sender}</div>
<h1 style="margin:2px 0 0;font-size:22px;line-height:30px;font-weight:600;color:#ffffff;">{title}</h1>
</td></tr>
<tr><td class="p t" style="padding:24px 32px 28px;{font}color:#1b2330;overflow-wrap:break-word;">
{body}</td></tr>
<tr><td class="p m l" style="padding:16px 32px;border-top:1px solid #e3e8ef;{font}font-size:12px;line-height:18px;\
color:#5d6b7e;overflow-wrap:anywhere;">
{footer}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
""",
        font=_FONT,
        head=_head(subject),
        preview=cut(page.preview, 200),
        colour=_COLOURS[page.tone],
        sender=cut(page.sender, 120),
        title=cut(page.title, 200),
        body=body,
        footer=joined(fill("{}<br>\n", inline(sentence)) for sentence in page.footer),
    )
