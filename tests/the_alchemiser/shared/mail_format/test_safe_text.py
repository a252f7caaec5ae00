import pytest

from the_alchemiser.shared.mail_format.safe_text import cut, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc", "a  b c"),
        ("a\x00\x1f\x20\x7e\x7f\x9f\xa0b", "a   ~  \xa0b"),
        ("a\u2028\u2029b", "a  b"),
        ("\u061c\u200e\u200f\u202a\u202e\u2066\u2069\ufeffx", "x"),
        ("\u2029\u202f\u2065\u206a", " \u202f\u2065\u206a"),
        ("\ud800x", "?x"),
        ("\N{MINUS SIGN}\xfc\U0001f4a5", "\N{MINUS SIGN}\xfc\U0001f4a5"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("abcd", "abcd"), ("abcde", "abc\N{HORIZONTAL ELLIPSIS}"), ("ab cde", "ab\N{HORIZONTAL ELLIPSIS}")],
)
def test_cut(text: str, shown: str) -> None:
    assert cut(text, 4) == shown
