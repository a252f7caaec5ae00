"""The text that the parser reads: the file without its indentation, so that equal nodes are equal text at any depth."""

import re
from bisect import bisect_right
from itertools import accumulate

from the_alchemiser.shared.symphony.errors import SymphonyError, excerpt_of
from the_alchemiser.shared.symphony.tree import Place

# Every quantifier is possessive: no input makes these backtrack, so they stay linear.
_COMMENT_OR_STRING = re.compile(r';[^\n]*+|("[^"\\]*+(?:\\.[^"\\]*+)*+"?+)', re.DOTALL)
_NO_COMMENT_AND_STRINGS_WITHIN_LINES = re.compile(r'(?:[^";]*+"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")*+[^";]*+')
_NEITHER_QUOTE_NOR_LINE_END = bytes(set(range(256)) - set(b'"\n'))


class Layout:
    """The text that the parser reads, and the mapping from its offsets back to positions in the file.

    Attributes:
        text: the file's lines, stripped and joined by blanks; the unchanged file if a string spans several lines.
    """

    def __init__(self, written: str, source: str) -> None:
        self._lines = written.split("\n")
        self._source = source
        bare = written if _is_bare(written) else _COMMENT_OR_STRING.sub(lambda match: match[1] or "", written)
        self._is_stripped = bare is written or _is_bare(bare)

        self.text, lines = written, self._lines
        if self._is_stripped:
            lines = list(map(str.strip, lines if bare is written else bare.split("\n")))
            self.text = " ".join(lines)
        # Offsets of the lines in the text, followed by the offset at which one more line would start.
        self._starts = list(accumulate(map((1).__add__, map(len, lines)), initial=0))

    def place(self, offset: int) -> Place:
        """Return the position in the file of an offset of the text."""
        line = bisect_right(self._starts, offset, 0, len(self._lines))
        written = self._lines[line - 1]
        indentation = len(written) - len(written.lstrip()) if self._is_stripped else 0
        return Place(line, indentation + offset - self._starts[line - 1] + 1)

    def error(self, offset: int, message: str) -> SymphonyError:
        """Return an error located at an offset of the text."""
        line, column = self.place(offset)
        excerpt = excerpt_of(self._lines[line - 1], column)
        return SymphonyError(message, self._source, line, column, excerpt=excerpt)


def _is_bare(text: str) -> bool:
    if ";" not in text and "\\" not in text:
        # Without comments and escapes a quote only starts or ends a string, so each line must hold an even number.
        quotes = text.encode(errors="surrogatepass").translate(None, _NEITHER_QUOTE_NOR_LINE_END)
        return b'"' not in quotes.replace(b'""', b"")
    return _NO_COMMENT_AND_STRINGS_WITHIN_LINES.fullmatch(text) is not None
