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
            "[prod] 2022-03-15: run completed, 2 of 3 trades not completely filled, equity $99,987.21",
        ),
        (
            completed(quarantined={"628ESC012": "odd_symbol"}),
            "[prod] 2022-03-15: run completed, 2 trades, 1 holding left alone, equity $99,987.21",
        ),
        (
            completed(untradable={"AAA": "not_tradable", "BBB": "no_price"}),
            "[prod] 2022-03-15: run completed, 2 trades, 2 targets left out, equity $99,987.21",
        ),
        (
            completed(outcomes=(REFUSED,), quarantined={"A": "x"}, untradable={"B": "y"}),
            (
                "[prod] 2022-03-15: run completed, 1 of 1 trade not completely filled, 1 holding left alone, "
                "1 target left out, equity $99,987.21"
            ),
        ),
        (settled(FILLED_LATE), "[prod] 2022-03-15: 1 order SETTLED after the run"),
        (settled(FILLED_LATE, CANCELLED_LATE), "[prod] 2022-03-15: 2 orders SETTLED after the run"),
        (differing(BY_HAND), "[prod] 2022-03-15: the books DIFFER from the account, 1 difference"),
        (differing(BY_HAND, OPEN_ORDER), "[prod] 2022-03-15: the books DIFFER from the account, 2 differences"),
        (failed(), "[prod] 2022-03-15: run FAILED in state EVALUATING: strategy failed"),
        (refused("verdict_stale"), "[prod] 2022-03-15: run REFUSED: verdict stale"),
        (
            checked(passed=False),
            "[prod] Market data through 2022-03-15 FAILED the quality check: 2 of 35 symbols quarantined",
        ),
        (
            checked(passed=False, problems=("no corporate actions",)),
            (
                "[prod] Market data through 2022-03-15 FAILED the quality check: 2 of 35 symbols quarantined, "
                "1 other problem"
            ),
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
    ],
)
def test_mail_subject_says_what_happened(message: News, subject: str) -> None:
    assert mail_subject(message, stage="prod") == subject
