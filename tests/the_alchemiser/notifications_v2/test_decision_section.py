import pytest

from tests.the_alchemiser.notifications_v2.completed_mails import IN_CASH, compose, texts
from tests.the_alchemiser.notifications_v2.reading import Document, listed
from tests.the_alchemiser.notifications_v2.samples import BACKGROUND, CALM, IDLE, TREND, idle, plan
from tests.the_alchemiser.results import HALF_BOUGHT, REFUSED, completed
from the_alchemiser.notifications_v2.answers import Answer
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN, Background
from the_alchemiser.shared.messaging.messages import RunCompleted


def test_fragile_decisions_are_listed_by_strategy() -> None:
    for text in texts():
        assert "2 of 6 decisions are fragile: a small price move would have reversed them." in text
        for sentences in TREND.fragile:
            assert f"trend: {sentences}" in text


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (
            (TREND.changed(fragile_count=1, decision_count=1),),
            "1 of 1 decision is fragile: a small price move would have reversed it.",
        ),
        ((CALM,), "The only decision is not fragile: a small price move would have reversed nothing."),
        ((CALM, CALM), "None of the 2 decisions is fragile: a small price move would have reversed nothing."),
        ((CALM.changed(decision_count=0),), "The weights are fixed: there was nothing to decide."),
    ],
)
def test_fragile_decisions_are_counted(answers: tuple[Answer, ...], sentence: str) -> None:
    for text in texts(background=Background(answers=answers)):
        assert sentence in text


def test_decisions_that_are_not_known_are_not_mentioned() -> None:
    for text in texts(background=NOTHING_KNOWN):
        assert "fragile" not in text.lower()
        assert "why nothing" not in text.lower()


WHY = "why nothing was traded"


def why(run: RunCompleted, background: Background) -> list[str]:
    """Return the reasons why nothing was traded."""
    return listed(compose(run, background), WHY)


def test_nothing_traded_for_lack_of_change_lists_every_reason() -> None:
    assert why(completed(outcomes=()), Background(plan=IDLE)) == [
        "Every holding is so close to its target that its change is below the minimum for a trade.",
        "SPY: a change of -$3.20 is below the minimum of $100.00.",
        "TLT: a change of $45.10 is below the minimum of $100.00.",
    ]
    assert WHY in Document(compose(completed(outcomes=()), Background(plan=IDLE)).html).text.lower()


def test_nothing_traded_for_whole_shares_says_so() -> None:
    reason = "a change of $45.10 is less than the smallest quantity that trades"

    assert why(completed(outcomes=()), Background(plan=plan(idle("BRK.A", reason)))) == [
        "Every change is less than the smallest quantity that trades, which is a whole share for some symbols.",
        f"BRK.A: {reason}.",
    ]


def test_nothing_traded_for_several_reasons_has_no_summary() -> None:
    mixed = plan(*IDLE.decisions, idle("GLD", "open orders may already bring it to the $5.00 wanted"))

    assert [line[:4] for line in why(completed(outcomes=()), Background(plan=mixed))] == ["SPY:", "TLT:", "GLD:"]


def test_nothing_traded_because_nothing_is_held_or_wanted_says_so() -> None:
    assert why(IN_CASH, Background(plan=plan())) == [
        "The plan had nothing to decide: no symbol is held, and none that can be traded is a target."
    ]


def test_nothing_traded_because_no_strategy_was_due_says_so() -> None:
    waiting = (CALM, CALM.changed(strategy="slow", rebalance="threshold 5"))
    known = Background(answers=waiting, strategy_count=2)

    assert why(completed(outcomes=()), known) == [
        "No strategy was due to rebalance: the weights have only drifted since they were decided.",
        "calm decided on the closes of 2022-03-07 (rebalance weekly).",
        "slow decided on the closes of 2022-03-07 (rebalance threshold 5).",
    ]
    assert why(completed(outcomes=()), known.changed(strategy_count=3)) == []


def test_nothing_traded_although_a_strategy_was_due_names_the_others() -> None:
    known = Background(answers=(CALM, TREND), strategy_count=2)

    assert why(completed(outcomes=()), known) == ["calm decided on the closes of 2022-03-07 (rebalance weekly)."]


def test_nothing_filled_counts_the_reasons() -> None:
    paused = REFUSED.changed(reason="trading_paused")

    assert why(completed(outcomes=(REFUSED, paused, paused)), BACKGROUND) == [
        "2 trades: trading is paused by the kill switch (trading_paused).",
        "1 trade: the price was too far from the last close (limit_price_distance).",
    ]


def test_run_that_traded_does_not_say_why_not() -> None:
    assert why(completed(outcomes=(HALF_BOUGHT, REFUSED)), BACKGROUND) == []
