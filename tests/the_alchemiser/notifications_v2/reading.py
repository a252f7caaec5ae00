"""Reads a mail as a person does: words, tables, and the structure of the HTML."""

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import override

from the_alchemiser.notifications_v2.mail import Mail

INLINE = {"code", "strong", "span"}
VOID = {"meta", "br"}


class Document(HTMLParser):
    """The HTML part.

    Attributes:
        text: what is visible, in one line.
        tags: each start tag with its attributes.
        tables: the cells of each data table, row by row.
        faults: tags that are not closed in order.
        style: the style sheet.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.faults: list[str] = []
        self.style = ""
        self._pieces: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)
        self.faults += [f"{tag} is not closed" for tag, _ in self._open]
        self.text = one_line("".join(self._pieces))

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        if tag not in INLINE:
            self._pieces.append(" ")
        if tag not in VOID:
            self._open.append((tag, named.get("role") == "presentation"))
        if self._in_data_table():
            if tag == "table":
                self.tables.append([])
            elif tag == "tr":
                self.tables[-1].append([])
            elif tag in {"td", "th"}:
                self.tables[-1][-1].append("")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self._pieces.append(" ")
        if not self._open or self._open.pop()[0] != tag:
            self.faults.append(f"{tag} is closed out of order")

    @override
    def handle_data(self, data: str) -> None:
        inside = {tag for tag, _ in self._open}
        if "style" in inside:
            self.style += data
        elif "title" not in inside:
            self._pieces.append(data)
            if self._in_data_table() and {"td", "th"} & {self._open[-1][0]}:
                self.tables[-1][-1][-1] += data

    def _in_data_table(self) -> bool:
        innermost = next((is_layout for tag, is_layout in reversed(self._open) if tag == "table"), True)
        return not innermost

    def attributes(self, name: str) -> Sequence[dict[str, str | None]]:
        """Return the attributes of each tag of a name."""
        return [attrs for tag, attrs in self.tags if tag == name]


def one_line(text: str) -> str:
    return " ".join(text.split())


def plain(text: str) -> str:
    """Return a text as both parts show it: in one line, and without the marks of commands."""
    return one_line(text).replace("`", "")


def html_and_text(mail: Mail) -> tuple[str, str]:
    """Return both parts, each in one line, without marks."""
    return Document(mail.html).text, plain(mail.text)


def listed(mail: Mail, title: str) -> list[str]:
    """Return the lines of the text part under a title, each in one line."""
    lines = mail.text.partition(f"\n{title.upper()}\n")[2].partition("\n\n")[0]
    return [one_line(line) for line in lines.removeprefix("  - ").split("\n  - ")] if lines else []
