"""The sessions of a noxfile.py."""

from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, Finding
from desk.documentation import session_page
from desk.documentation.session_page import Session

ROOT = Path(__file__).parents[3]
NOXFILE = '''
import nox

@nox.session(python="3.12", tags=["check"])
def lint(session):
    """Run | linters.

    All of them.
    """

@nox.session(default=False)
def slow(session):
    """Take long."""

def helper():
    """Help."""
'''


def test_sessions_are_the_decorated_functions() -> None:
    assert session_page.sessions(NOXFILE) == [
        Session("lint", "Run | linters.", is_default=True),
        Session("slow", "Take long.", is_default=False),
    ]


def test_page_lists_sessions_and_those_that_nox_runs_alone(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text(NOXFILE)
    page = session_page.page(tmp_path)

    assert "`nox` alone runs `lint`; `nox -s NAME` runs others." in page
    assert page.endswith("| `lint` | Run \\| linters. |\n| `slow` | Take long. |\n")


def test_page_refuses_a_session_without_a_docstring(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text("import nox\n@nox.session\ndef lint(session):\n    session.log('x')\n")

    with pytest.raises(CheckFailedError, match=r"noxfile.py: 1 session\(s\) without a description") as raised:
        session_page.page(tmp_path)

    assert raised.value.findings == (Finding("lint", "the session has no docstring", "say in a sentence what it does"),)


def test_page_of_this_project_has_every_session() -> None:
    page = session_page.page(ROOT)

    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert page.count("\n| `") == text.count("@nox.session(")
    assert "`nox` alone runs `lint`, `tests`, `prove`, `size`;" in page
