"""When a part is asked for again, when it counts as old, and its tag."""

import pytest

from desk.page.feeds import Reading
from desk.page.parts import PARTS, Fragment, find


def fragment(html: str = "<p>", *, next_s: float = 0.0, is_running: bool = False, every_s: float = 10.0) -> Fragment:
    return Fragment(PARTS[0], html, Reading("value", next_s=next_s, is_running=is_running), every_s)


@pytest.mark.parametrize(("next_s", "is_running", "next_ms"), [(7.5, False, 7500), (0.0, False, 250), (7.5, True, 400)])
def test_next_ms_follows_the_reading(next_s: float, next_ms: int, *, is_running: bool) -> None:
    assert fragment(next_s=next_s, is_running=is_running).next_ms == next_ms


@pytest.mark.parametrize(("every_s", "stale_ms"), [(1.0, 12_000), (60.0, 130_000)])
def test_stale_ms_allows_one_missed_reading(every_s: float, stale_ms: int) -> None:
    assert fragment(every_s=every_s).stale_ms == stale_ms


def test_tag_changes_with_the_html() -> None:
    assert fragment("<p>1").tag == fragment("<p>1", next_s=3.0).tag
    assert fragment("<p>1").tag != fragment("<p>2").tag
    assert len(fragment().tag) == 22


def test_parts_have_names_and_keys_of_their_own() -> None:
    assert len({part.name for part in PARTS}) == len({part.key for part in PARTS}) == len(PARTS) == 10
    assert [find(part.name) for part in PARTS] == list(PARTS)
    assert find("secrets") is None
