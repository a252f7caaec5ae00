from decimal import Decimal

import pytest

from tests.the_alchemiser.results import (
    BOUGHT,
    BY_HAND,
    CANCELLED_LATE,
    FILLED_LATE,
    HALF_BOUGHT,
    OPEN_ORDER,
    REFUSED,
    checked,
    completed,
    differing,
    failed,
    refused,
    settled,
)
from the_alchemiser.notifications_v2.subject import News, mail_subject


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        (completed(), "[prod] 2022-03-15: run completed, 2 trades, equity $99,987.21"),
        (completed(outcomes=()), "[prod] 2022-03-15: run completed, no trades, equity $99,987.21"),
        (
            completed(outcomes=(BOUGHT, HALF_BOUGHT, REFUSED)),
            "[prod] 2022-03-15: run completed, 2 of 3 trades incomplete, equity $99,987.21",
        ),
        (
            completed(quarantined={"628ESC012": "odd_symbol"}),
            "[prod] 2022-03-15: run completed, 2 trades, 1 holding left alone",
        ),
        (
            completed(untradable={"AAA": "not_tradable", "BBB": "no_price"}),
            "[prod] 2022-03-15: run completed, 2 trades, 2 targets left out",
        ),
        (
            completed(outcomes=(REFUSED,), quarantined={"A": "x"}, untradable={"B": "y"}),
            "[prod] 2022-03-15: run completed, 1 of 1 trade incomplete",
        ),
        (settled(FILLED_LATE), "[prod] 2022-03-15: 1 order SETTLED after the run"),
        (settled(FILLED_LATE, CANCELLED_LATE), "[prod] 2022-03-15: 2 orders SETTLED after the run"),
        (differing(BY_HAND), "[prod] 2022-03-15: the books DIFFER from the account, 1 difference"),
        (differing(BY_HAND, OPEN_ORDER), "[prod] 2022-03-15: the books DIFFER from the account, 2 differences"),
        (failed(), "[prod] 2022-03-15: run FAILED in state EVALUATING: strategy failed"),
        (refused("verdict_stale"), "[prod] 2022-03-15: run REFUSED: verdict stale"),
        (
            checked(passed=False),
            "[prod] 2022-03-15: market data FAILED its check, 2 of 35 symbols quarantined",
        ),
        (
            checked(passed=False, problems=("no corporate actions",)),
            "[prod] 2022-03-15: market data FAILED its check, 2 of 35 symbols quarantined",
        ),
        (
            checked(passed=False, problems=("a", "b")).changed(quarantined={}),
            "[prod] 2022-03-15: market data FAILED its check, 2 problems",
        ),
        (
            completed(outcomes=(BOUGHT,) * 10_000).changed(equity_after=Decimal("123456789012345.5")),
            "[prod] 2022-03-15: run completed, 10000 trades, equity $123,456,789,012,345.50",
        ),
        (
            completed(outcomes=(BOUGHT,) * 10_000).changed(equity_after=Decimal("1234567890123456.5")),
            "[prod] 2022-03-15: run completed, 10000 trades",
        ),
    ],
    ids=[
        "all filled",
        "no trades",
        "not all filled",
        "quarantined",
        "untradable",
        "all of it",
        "one order settled",
        "two orders settled",
        "one difference",
        "two differences",
        "failed",
        "refused",
        "data unfit",
        "data unfit as a whole",
        "data with problems only",
        "room for the last fact",
        "no room for it",
    ],
)
def test_mail_subject_says_what_happened(message: News, subject: str) -> None:
    assert mail_subject(message, stage="prod") == subject
