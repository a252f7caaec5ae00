"""Markdown of review comments."""

from automation.system import markdown


def test_escape_keeps_text_inside_its_cell() -> None:
    assert markdown.escape("a|b *c* _d_ `e` [f] <g> \\\n h") == r"a\|b \*c\* \_d\_ \`e\` \[f] &lt;g> \\ h"


def test_escape_parts_what_github_would_link_and_keeps_entities_as_text() -> None:
    assert markdown.escape("@ann #12 &#64; ~~x~~ $y$") == (
        r"@&ZeroWidthSpace;ann #&ZeroWidthSpace;12 &amp;#&ZeroWidthSpace;64; \~\~x\~\~ \$y\$"
    )


def test_table_escapes_its_cells() -> None:
    assert markdown.table(("a", "b"), [("1|", "2")]) == "| a | b |\n|---|---|\n| 1\\| | 2 |"


def test_table_right_aligns_the_columns_of_that_number() -> None:
    assert markdown.table(("a", "b"), [], right=(1,)) == "| a | b |\n|---|---:|"


def test_with_code_escapes_what_is_not_code() -> None:
    assert markdown.with_code("a_b `c_d` <e> ") == r"a\_b `c_d` &lt;e> "
    assert markdown.with_code(" `a|b`, `c` ") == " `a|b`, `c` "
    assert markdown.with_code("") == ""


def test_table_may_keep_code() -> None:
    assert markdown.table(("a_b",), [("`c_d`",)], cell=markdown.with_code) == "| a\\_b |\n|---|\n| `c_d` |"


def test_folded_has_a_title_and_a_body() -> None:
    assert markdown.folded("a<b", "| x |") == "<details><summary>a&lt;b</summary>\n\n| x |\n\n</details>"
