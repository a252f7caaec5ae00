import pytest

from tests.the_alchemiser.results import BOUGHT, HALF_BOUGHT, REFUSED, checked, completed, failed, refused
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
        (failed(), "[prod] 2022-03-15: run FAILED in state EVALUATING: strategy failed"),
        (refused("verdict_stale"), "[prod] 2022-03-15: run REFUSED: verdict stale"),
        (
            checked(passed=False),
            "[prod] Market data through 2022-03-15 FAILED the quality check: 2 of 35 symbols quarantined",
        ),
    ],
    ids=["all filled", "no trades", "not all filled", "failed", "refused", "data unfit"],
)
def test_mail_subject_says_what_happened(message: News, subject: str) -> None:
    assert mail_subject(message, stage="prod") == subject
