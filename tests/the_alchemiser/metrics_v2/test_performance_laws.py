"""Laws of the figures over drawn lives of an account at the paper exchange, computed by the product's own code."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw

from tests.the_alchemiser.metrics_v2.little_account import DAYS, SPLIT_DAY, SPLIT_SYMBOL, LittleAccount
from tests.the_alchemiser.metrics_v2.lives import Day, Life, Step, live, lives
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.performance.figures import Figures, History, days, period
from the_alchemiser.shared.performance.rows import ACCOUNT

CENT = Decimal("0.01")
DUST = Decimal("1e-15")  # of the division of a lot's cost by its shares after a split


def is_dust(amount: Decimal) -> bool:
    return abs(amount) < DUST


def adds_up(figures: Figures) -> bool:
    """Return whether the equity follows from the equity before, deposits and P&L, and the P&L from its parts."""
    parts = figures.breakdown
    assert parts is not None
    known = (parts.strategies, parts.unattributed, parts.fees, parts.dividends, parts.interest, parts.rounding)
    explained = sum((*known, *parts.other.values()), Decimal(0))
    return (
        figures.opening_equity + figures.deposits + figures.pnl == figures.closing_equity
        and is_dust(figures.pnl - explained)
        and is_dust(parts.unexplained)
        and abs(parts.other.get("SPLIT", Decimal(0))) <= CENT
    )


def contributions(history: History, figures: Figures) -> Decimal:
    """Return the sum of what the strategies earned in the period of these figures."""
    total = Decimal(0)
    for name in history.names:
        found = (*days(history, name), period(history, name))
        if name != UNATTRIBUTED:
            total += next(each.pnl for each in found if each and is_same_period(each, figures))
    return total


def is_same_period(first: Figures, second: Figures) -> bool:
    return (first.opened, first.through) == (second.opened, second.through)


@settings(max_examples=40, deadline=None)
@given(life=lives())
def test_every_day_and_the_whole_period_add_up(life: Life) -> None:
    history = History.of(life.rows)
    every, whole = days(history), period(history)

    assert whole is not None
    assert [day.through for day in every] == [run.trading_date for run in life.runs]
    assert whole.closing_equity == life.runs[-1].equity_after
    for figures in (*every, whole):
        assert adds_up(figures)
        assert figures.breakdown is not None
        assert is_dust(contributions(history, figures) - figures.breakdown.strategies)


@settings(max_examples=15, deadline=None)
@given(life=lives(), data=draw.data())
def test_runs_that_arrive_late_doubled_or_in_another_order_give_the_same_rows(
    life: Life, data: draw.DataObject
) -> None:
    arrivals = data.draw(draw.permutations((*life.runs, *life.runs)))

    rows = {(row.strategy, row.trading_date): row for run in arrivals for row in life.account.rows_of(run)}

    assert rows == {(row.strategy, row.trading_date): row for row in life.rows}


BUY = Step(SPLIT_SYMBOL, is_buy=True, share=60, crossing=30, is_attributed=True, is_partial=False)
OTHER = Step("CALM", is_buy=True, share=50, crossing=-20, is_attributed=True, is_partial=True)
PLAN = (
    Day("completed", (), (BUY,)),
    Day("completed", (("CSD", "1000"), ("FEE", "-0.42")), (OTHER,)),
    Day("failed", (("CSD", "500"),), (OTHER,)),
    Day("completed", (), ()),
    Day("none", (("DIV", "3.17"), ("CSW", "-100.50")), ()),
    Day("completed", (("MISC", "0.05"),), ()),
)


@pytest.fixture
def history() -> History:
    """Return a life with every kind of day; the fourth one splits."""
    account = LittleAccount(
        {"CALM": [10.0] * len(DAYS), "RISE": [5.0] * len(DAYS), SPLIT_SYMBOL: [33.0 + n for n in range(len(DAYS))]}
    )
    return History.of(live(account, PLAN).rows)


def test_life_with_every_kind_of_day_has_these_figures(history: History) -> None:
    every = days(history)

    assert [day.through for day in every] == [DAYS[1], DAYS[2], DAYS[4], DAYS[6]]
    assert every[2].through == SPLIT_DAY
    assert [day.deposits for day in every] == [0, 1000, 500, Decimal("-100.50")]
    breakdowns = [day.breakdown for day in every if day.breakdown is not None]
    assert [parts.fees for parts in breakdowns] == [0, Decimal("-0.42"), 0, 0]
    assert [parts.dividends for parts in breakdowns] == [0, 0, 0, Decimal("3.17")]
    assert [dict(parts.other).get("MISC") for parts in breakdowns] == [None, None, None, Decimal("0.05")]
    assert all(adds_up(day) for day in every)


def test_life_with_crossing_counts_what_each_strategy_traded(history: History) -> None:
    account, first, second = (period(history, name) for name in (ACCOUNT, "a", "b"))

    assert account is not None
    assert first is not None
    assert second is not None
    # Strategy b sold to a internally: both have traded, the account has not.
    assert first.turnover + second.turnover > account.turnover
    assert is_dust(first.slippage + second.slippage - account.slippage)
    assert account.slippage > 0


def test_split_pays_cash_in_lieu_that_strategies_are_credited_with(history: History) -> None:
    split_day = days(history)[2]

    assert split_day.breakdown is not None
    assert abs(split_day.breakdown.other.get("SPLIT", Decimal(0))) <= CENT
    assert Counter(day.breakdown is not None and "SPLIT" in day.breakdown.other for day in days(history))[True] <= 1
    assert split_day.closed_lots == 2
