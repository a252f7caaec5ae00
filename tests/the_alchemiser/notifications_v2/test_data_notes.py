from datetime import timedelta

import pytest

from tests.the_alchemiser.notifications_v2.completed_mails import compose, texts
from tests.the_alchemiser.notifications_v2.reading import listed
from tests.the_alchemiser.notifications_v2.samples import BACKGROUND, CALM, VERDICT
from tests.the_alchemiser.results import DAY, completed
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN, Background
from the_alchemiser.shared.messaging.messages import RunCompleted


def data(background: Background, run: RunCompleted | None = None) -> list[str]:
    """Return the notes about the data."""
    return listed(compose(run, background), "data")


def test_data_notes_have_age_problems_and_what_was_quarantined() -> None:
    assert data(BACKGROUND) == [
        "The data was checked through Monday, 14 March 2022, 19 hours before the run ended.",
        "The second source did not answer: 3 symbols could not be compared.",
        "XRT is quarantined: a move of 12.1 % on 2022-03-11 is not confirmed; no strategy needed it.",
        "trend decided without BBY: last bar 2022-03-01.",
    ]


def test_data_notes_claim_nothing_about_decisions_that_are_not_known() -> None:
    for known in (NOTHING_KNOWN, Background(answers=(CALM,), strategy_count=2)):
        assert "XRT is quarantined: a move of 12.1 % on 2022-03-11 is not confirmed." in data(
            known.changed(verdict=VERDICT)
        )


def test_data_notes_say_when_a_quarantined_symbol_is_held_or_a_target() -> None:
    verdict = VERDICT.changed(quarantined={"SPY": "stale", "TLT": "gap"}, problems=())

    assert data(Background(verdict=verdict, answers=(CALM,), strategy_count=1))[1:] == [
        "SPY is quarantined: stale; held or a target.",
        "TLT is quarantined: gap; held or a target.",
    ]


@pytest.mark.parametrize(
    ("hours", "age"), [(0, "0 hours"), (1, "1 hour"), (47, "47 hours"), (48, "2 days"), (73, "3 days"), (-5, "0 hours")]
)
def test_data_notes_have_the_age_of_the_verdict(hours: int, age: str) -> None:
    run = completed()
    verdict = VERDICT.changed(checked_at=run.occurred_at - timedelta(hours=hours), quarantined={}, problems=())

    assert data(Background(verdict=verdict), run) == [
        f"The data was checked through Monday, 14 March 2022, {age} before the run ended."
    ]


def test_data_notes_of_another_days_verdict_show_nothing_of_it() -> None:
    later = VERDICT.changed(as_of=DAY)

    (note,) = data(Background(verdict=later))
    assert note == (
        "The data was checked again since the run: the stored verdict is on closes through Tuesday, 15 March 2022, so "
        "it is not shown here."
    )


def test_run_about_whose_data_nothing_is_known_has_no_notes() -> None:
    assert data(NOTHING_KNOWN) == []
    assert data(Background(answers=(CALM,), strategy_count=1)) == []


def test_what_could_not_be_read_is_named() -> None:
    for text in texts(background=Background(unread=("The P&L was not computed yet; `inv pnl --env prod` shows it.",))):
        assert "missing in this mail" in text.lower()
        assert "The P&L was not computed yet; inv pnl --env prod shows it." in text
    for text in texts(background=NOTHING_KNOWN):
        assert "missing in this mail" not in text.lower()
