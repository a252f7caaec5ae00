"""The content of a mail, before it becomes HTML and plain text. Pure values; every text in them is still unescaped.

Text between two backticks is a command.
"""

from enum import StrEnum

from the_alchemiser.shared.records import Frozen

IN_TEXT = "see the plain text of this mail"


class Tone(StrEnum):
    """How serious a mail or a note is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Heading(Frozen):
    """The heading of a section."""

    text: str


class Paragraph(Frozen):
    """Sentences; a remark is a paragraph in small type."""

    text: str
    is_remark: bool = False


class Figures(Frozen):
    """The few figures that a reader looks for first, each with its name."""

    figures: tuple[tuple[str, str], ...]


class Steps(Frozen):
    """A numbered list."""

    items: tuple[str, ...]


class Lines(Frozen):
    """A list of sentences, of any length.

    Attributes:
        noun: what one of them is about, in the singular; the HTML part counts the rest by it.
        where: where to read those that the HTML part leaves out: a command, or a phrase.
        title: of a note; without one, the lines are a list.
        tone: of a note.
        closing: what the lines mean; it is never left out.
    """

    lines: tuple[str, ...]
    noun: str
    where: str
    title: str = ""
    tone: Tone = Tone.WARNING
    closing: str = ""


class Table(Frozen):
    """A table of any length. The first cell of a row names it.

    Attributes:
        left: how many of the first columns are aligned to the left.
        noun, where: see Lines.
        total: the last row, which is never left out; empty without one.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    noun: str
    where: str
    left: int = 1
    total: tuple[str, ...] = ()


type Block = Heading | Paragraph | Figures | Steps | Lines | Table


class Page(Frozen):
    """A whole mail, without its subject.

    Attributes:
        title: the first line.
        sender: who sends it: the stage, and the run that it is about.
        preview: what a list of mails shows beside the subject.
        footer: sentences below everything else.
    """

    title: str
    sender: str
    tone: Tone
    preview: str
    blocks: tuple[Block, ...]
    footer: tuple[str, ...]
