"""docs/safety.md: each safeguard is where the page says, and each reason for leaving a holding alone is explained."""

import re
from pathlib import Path

from the_alchemiser.notifications_v2 import explanations
from the_alchemiser.portfolio_v2 import left_out
from the_alchemiser.shared.broker.models import US_EQUITY
from the_alchemiser.shared.messaging.delivery import parse
from the_alchemiser.shared.values import SYMBOL_PATTERN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
SOURCE = ROOT / "the_alchemiser"
_CODE = re.compile(r"`([^`]+)`")


def section(title: str) -> str:
    """Return the text under a heading of the page."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def places(row: str) -> list[str]:
    """Return the paths in the last column of a row; a bare name lies in the folder of the path before it."""
    folder = ""
    paths: list[str] = []
    for name in _CODE.findall(row.rsplit("|", 2)[1]):
        paths.append(name if "/" in name else f"{folder}/{name}")
        folder = paths[-1].rpartition("/")[0]
    return paths


def safeguards() -> list[str]:
    return [line for line in section("Safeguards").splitlines() if line.startswith("| ")][2:]


def test_safeguards_are_where_the_page_says() -> None:
    named = [path for row in safeguards() for path in places(row)]

    assert len(named) >= len(safeguards())
    assert [path for path in named if not (SOURCE / path).exists()] == []


def test_places_of_a_bare_name_follow_the_path_before_it() -> None:
    assert places("| a | b | `x/y.py`, `z.py` |") == ["x/y.py", "x/z.py"]


def test_account_lists_each_reason_to_leave_a_holding_alone() -> None:
    reasons = {value for name, value in vars(left_out).items() if name.isupper() and isinstance(value, str)}
    rows = [line for line in section("What the account may hold").splitlines() if line.startswith("| ")]
    listed = {_CODE.findall(row.rsplit("|", 2)[1])[0] for row in rows if "`" in row}

    assert listed == reasons - {US_EQUITY, SYMBOL_PATTERN}
    assert listed <= explanations._OMISSIONS.keys()


def test_second_run_is_a_command_that_an_inbox_accepts() -> None:
    body = section("A second run on the same day").partition("```json\n")[2].partition("\n```")[0]

    assert getattr(parse(body), "replaces", "") == "prod-2026-11-27"
