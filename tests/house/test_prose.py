"""Phrases that a newcomer reads twice stay out of the repository's text; CONTRIBUTING.md has the style in one page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("automation", "the_alchemiser", "sandbox", "desk", "benchmarks", "docs", "tests")
SUFFIXES = frozenset({".py", ".md", ".html", ".txt", ".js", ".toml", ".yaml"})
FILES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "template.yaml",
    "data-template.yaml",
    "noxfile.py",
    "tasks.py",
)
EXEMPT = frozenset({"tests/house/test_prose.py"})

PHRASES: dict[str, str] = {
    r"(?<!`)\bmend(s|ed|ing)?\b": "fix",
    r"(?<!there )(?<!There )\b(is|are) no [a-z]": "is not, is missing, cannot be",
    r"\b(is|are|was|were) told\b": "reports, prints, says",
    r"\b(held|hold|holds) against\b": "compared with",
    r"\b(comes|came) to (no|nothing|an end)\b": "returns, contains",
    r"\bas (its|their) source\b": "up to date",
    r"\bwhoever\b": "the caller, the user",
    r"\b[Tt]wice is as once\b": "idempotent",
    r"\bis known to CloudFormation alone\b": "is only known at deploy time",
    r"\bnot consented to\b": "cancelled",
}


def texts() -> Iterator[tuple[str, str]]:
    paths = [ROOT / name for name in FILES]
    for folder in FOLDERS:
        paths += sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and name not in EXEMPT and "__pycache__" not in name:
            yield name, path.read_text(encoding="utf-8", errors="replace")  # tests/projects has other encodings


def violations(phrase: str, name: str, text: str) -> list[str]:
    pattern = re.compile(phrase)
    lines = enumerate(text.splitlines(), start=1)
    return [f"{name}:{number}: {line.strip()}" for number, line in lines if pattern.search(line)]


@pytest.mark.parametrize("phrase", PHRASES)
def test_text_has_no_phrase_that_is_read_twice(phrase: str) -> None:
    places: list[str] = []
    for name, text in texts():
        places += violations(phrase, name, text)

    assert places == [], f"write instead: {PHRASES[phrase]}"


@pytest.mark.parametrize(
    ("phrase", "line"),
    list(
        zip(
            PHRASES,
            (
                "run inv lock to mend it",
                "0 is no number of runs",
                "all failures are told",
                "the text is held against the table",
                "it comes to nothing",
                "108 files are as their source",
                "whoever finds it unsent",
                "Twice is as once.",
                "its folder is known to CloudFormation alone",
                "was not consented to",
            ),
            strict=True,
        )
    ),
)
def test_violations_finds_a_planted_phrase(phrase: str, line: str) -> None:
    assert violations(phrase, "a.md", f"fine\n{line}\n") == [f"a.md:2: {line}"]


def test_violations_accepts_plain_sentences() -> None:
    text = "There is no stack of this name; fix template.yaml."

    for phrase in PHRASES:
        assert violations(phrase, "a.md", text) == []
