"""The number of a release that a person types, and moments in different time zones."""

import pytest

from automation.deploying.releases import records as releases
from automation.system.errors import UsageError


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("r7", 7), ("r10", 10)])
def test_parse_number_accepts_both_forms(text: str, number: int) -> None:
    assert releases.parse_number(text) == number


@pytest.mark.parametrize("text", ["", "r", "x7", "7.0", "-1", "0", "r0", "rr7"])
def test_parse_number_refuses_the_rest(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        releases.parse_number(text)

    assert str(caught.value) == f"--to: '{text}' is not a release; write it as r7 or 7"


@pytest.mark.parametrize(
    ("moment", "another", "expected"),
    [
        ("", "", True),
        ("2026-01-01T00:00:00+00:00", "", False),
        ("", "2026-01-01T00:00:00+00:00", False),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00", True),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+01:00", False),
    ],
)
def test_is_same_moment_compares_instants(moment: str, another: str, expected: bool) -> None:
    assert releases.is_same_moment(moment, another) is expected
