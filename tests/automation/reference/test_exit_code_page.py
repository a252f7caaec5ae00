"""The page of exit codes: those of the errors, and the same codes as the guide says."""

import re
from pathlib import Path

from automation.reference import exit_code_page
from automation.system.errors import AutomationError

GUIDE = Path(__file__).parents[3] / "docs" / "from-make-to-inv.md"


class LocalError(AutomationError):
    """A failure of one module."""

    exit_code = 6


def test_codes_are_those_of_errors_and_results() -> None:
    codes = exit_code_page.codes()

    assert list(codes) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 130, 141]
    assert codes[6] == "AWS refused a change; the message says what state it left."
    assert codes[3] == "A check found faults; all of them are listed."
    assert codes[7] == "`inv diff`: a deployment would change something."


def test_page_has_a_row_per_code() -> None:
    page = exit_code_page.page()

    assert [line.split(" | ")[0] for line in page.splitlines() if re.match(r"\| \d", line)] == [
        f"| {code}" for code in exit_code_page.codes()
    ]
    assert "| 0 | Done. |" in page


def test_guide_explains_the_same_codes() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("## Exit codes")[2]

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == list(exit_code_page.codes())
