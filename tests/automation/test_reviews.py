"""`--comment`: where the Markdown goes, one comment for each command, and nothing breaks out of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from automation import reviews
from automation.system import markdown
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.github_server import GitHub, served

pytestmark = pytest.mark.enable_socket

SIZE, DIFF = ("size",), ("diff", "--env", "staging")
# What GitHub reads beyond the standard: tables and strikethrough.
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "@everyone #1 </details> <script>alert(1)</script> ``` ~~~ | --- | ![x](http://a) [y](http://b) **b** _c_ $x$ "
    "&lt;img&gt; &#64;ann --> <!-- inv size --> \\` \\@ann \r\n# heading\n- [ ] item\n> quote\n\n    code"
)


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served() as github:
        yield github


def test_publish_writes_one_comment_for_each_command(
    github: GitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = github.variables(tmp_path)

    for words, text in ((SIZE, "old"), (DIFF, "plan"), (SIZE, "new")):
        reviews.publish(words, text, variables=variables)

    assert github.bodies() == ["<!-- inv size -->\nnew", "<!-- inv diff --env staging -->\nplan"]
    assert not (tmp_path / "summary.md").exists()
    assert capsys.readouterr().out.splitlines()[-1] == f"commented on pull request 7: {github.url}/7#100"


def test_publish_of_a_push_goes_to_the_summary(
    github: GitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews.publish(SIZE, "text", variables=github.variables(tmp_path, number=0))

    assert ((tmp_path / "summary.md").read_text(), github.requests) == ("text\n\n", [])
    assert capsys.readouterr().out == "written to the summary of the job\n"


def test_publish_of_a_fork_says_why_there_is_no_comment(github: GitHub, tmp_path: Path) -> None:
    reviews.publish(SIZE, "text", variables=github.variables(tmp_path, fork=True))

    note = "This pull request comes from a fork, so its jobs may not write comments."
    assert ((tmp_path / "summary.md").read_text(), github.requests) == (f"{note}\n\ntext\n\n", [])


def test_publish_outside_a_job_is_wrong_usage() -> None:
    with pytest.raises(UsageError) as caught:
        reviews.publish(DIFF, "text", variables={})

    message = "needs a job of GitHub Actions, whose event names the pull request; --markdown prints the same text"
    assert str(caught.value) == f"inv diff --env staging --comment: {message}"


def test_publish_without_a_token_is_named(github: GitHub, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^GITHUB_TOKEN: is missing"):
        reviews.publish(SIZE, "text", variables={**github.variables(tmp_path), "GITHUB_TOKEN": ""})


def test_skip_of_fork_says_so_in_the_summary(
    github: GitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reviews.skip_of_fork(DIFF, variables=github.variables(tmp_path, fork=True))

    reason = (
        "skipped: this pull request comes from a fork, whose jobs have no credentials; "
        "run inv diff --env staging yourself"
    )
    assert (tmp_path / "summary.md").read_text() == f"{reason}\n\n"
    assert capsys.readouterr().out == f"{reason}\n"


@pytest.mark.parametrize("number", [0, 7])
def test_skip_of_fork_skips_nothing_else(github: GitHub, tmp_path: Path, number: int) -> None:
    assert reviews.skip_of_fork(DIFF, variables=github.variables(tmp_path, number=number)) is False
    assert reviews.skip_of_fork(DIFF, variables={}) is False
    assert not (tmp_path / "summary.md").exists()


@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536])
def test_fitted_leaves_what_fits(length: int) -> None:
    assert reviews.fitted("a" * length) == "a" * length


def test_fitted_cuts_at_the_end_of_a_line_and_closes_what_is_folded() -> None:
    rows = "\n".join(f"| {number:05d} |" for number in range(9_000))
    text = f"<!-- inv size -->\nfirst\n\n{markdown.folded('Rows', rows)}"

    cut = reviews.fitted(text)

    kept, _, rest = cut.partition("\n\n</details>")
    assert len(cut) <= 65_536 < len(text)
    assert len(cut) > 65_400
    assert text.startswith(f"{kept}\n")
    assert rest == "\n\n**Cut: the text was longer than a comment may be. The log of the job has the rest.**"


def test_fitted_does_not_close_what_is_closed() -> None:
    cut = reviews.fitted(f"{markdown.folded('a', 'b')}\n\n{'c' * 50 + '\n'}{('d' * 99 + '\n') * 700}")

    start, _, rest = cut.partition("\n\n**Cut: ")
    assert cut.count("</details>") == 1
    assert start.endswith(f"\n{'d' * 99}")
    assert rest.endswith("has the rest.**")


def test_fitted_without_a_line_cuts_anywhere() -> None:
    for length in (65_537, 70_000):
        assert 65_400 < len(reviews.fitted("a" * length)) <= 65_536
        assert "**Cut: " in reviews.fitted("a" * length)


def test_publish_of_too_much_is_accepted(github: GitHub, tmp_path: Path) -> None:
    reviews.publish(SIZE, markdown.folded("Rows", "| x |\n" * 20_000), variables=github.variables(tmp_path))

    (body,) = github.bodies()
    assert len(body) <= 65_536
    assert body.startswith("<!-- inv size -->\n<details>")


def inline(text: str) -> set[str]:
    """Return the kinds of tokens in a table cell with a text, apart from plain text."""
    (token,) = [
        token for token in PARSER.parse(markdown.table(("a",), [(text,)])) if token.type == "inline" and token.level
    ][-1:]
    return {child.type for child in token.children or ()} - {"text", "text_special"}


def test_hostile_text_stays_text_in_a_cell() -> None:
    """Planted fault: a branch, a file or a message that is written to break out."""
    table = markdown.table(("a", "b"), [(HOSTILE, "end")])
    kinds = [token.type for token in PARSER.parse(table)]

    assert inline(HOSTILE) == set()
    assert kinds.count("tr_open") == 2
    assert not {"html_block", "fence", "heading_open", "hr", "code_block"} & set(kinds)
    assert "@everyone" not in PARSER.render(table)
    assert "#1" not in PARSER.render(table)


def test_text_without_the_escape_breaks_out() -> None:
    """The parser of these tests would see it."""
    kinds = {token.type for token in PARSER.parse(f"| a |\n|---|\n| {HOSTILE} |")}

    assert {"fence", "heading_open", "blockquote_open"} & kinds or "html_block" in kinds


@given(st.text(alphabet=st.sampled_from("ab@#<>&|*_`[]()~$!\\-=:/\n\r\t {}'\"."), max_size=40))
def test_any_text_stays_text_in_a_cell(text: str) -> None:
    assert inline(text) == set()
    assert "@a" not in PARSER.render(markdown.escape(text))
