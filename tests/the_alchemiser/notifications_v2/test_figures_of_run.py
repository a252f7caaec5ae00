from datetime import timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.notifications_v2.in_memory_rows import InMemoryRows, Waiting
from tests.the_alchemiser.notifications_v2.samples import ACCOUNT_ROWS, BEFORE, OWNER_ROWS, START
from tests.the_alchemiser.results import DAY, completed
from the_alchemiser.notifications_v2.figures_of_run import NotReadyError, SupersededError, read_figures
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.performance.figures import History, period
from the_alchemiser.shared.performance.rows import ACCOUNT, Performance

OWNERS = ("calm", "trend", UNATTRIBUTED)
TODAY = ACCOUNT_ROWS[-1]
RUN = completed()


def with_owners(row: Performance) -> Performance:
    assert row.account is not None
    return row.changed(account=row.account.changed(owners=OWNERS))


def all_rows() -> list[Performance]:
    return [*map(with_owners, ACCOUNT_ROWS), *OWNER_ROWS]


def read(rows: InMemoryRows, waiting: Waiting | None = None, *, seconds: float = 6) -> History:
    patience = (waiting or Waiting()).patience(seconds)
    return read_figures(rows, RUN, patience=patience, deadline=patience.deadline())


def test_figures_are_those_of_the_whole_history() -> None:
    waiting = Waiting()

    history = read(InMemoryRows(*all_rows()), waiting)

    whole = History.of(all_rows())
    assert history.names == whole.names == OWNERS
    for owner in (ACCOUNT, *OWNERS):
        day, expected = period(history, owner, since=DAY), period(whole, owner, since=DAY)
        assert day == expected is not None
        ever, expected = period(history, owner), period(whole, owner)
        assert ever is not None
        assert expected is not None
        assert (ever.pnl, ever.market_value) == (expected.pnl, expected.market_value)
    assert period(history) == period(whole)
    assert waiting.pauses == []


def test_owners_are_read_on_three_days_only() -> None:
    rows = InMemoryRows(*all_rows())

    read(rows)

    of_owners = sorted(((owner, since, through) for owner, since, through in rows.reads if owner != ACCOUNT), key=str)
    expected = [(owner, since, through) for owner in OWNERS for since, through in ((START, START), (BEFORE, DAY))]
    assert of_owners == sorted(expected, key=str)


def test_first_run_reads_its_day_once() -> None:
    first = with_owners(TODAY)
    rows = InMemoryRows(first, *(row for row in OWNER_ROWS if row.trading_date == DAY))

    history = read(rows)

    assert history.account == (first,)
    assert [since for owner, since, _ in rows.reads if owner == "calm"] == [DAY]


def test_rows_of_later_days_do_not_count() -> None:
    """A mail that is late is about its own day."""
    later = [
        row.changed(trading_date=DAY + timedelta(days=1), run_id="local-2022-03-16", equity=Decimal(1))
        for row in all_rows()
        if row.trading_date == DAY
    ]

    assert read(InMemoryRows(*all_rows(), *later)) == read(InMemoryRows(*all_rows()))


@pytest.mark.parametrize("missing", [ACCOUNT, "trend"])
def test_missing_row_is_awaited(missing: str) -> None:
    rows, waiting = InMemoryRows(*all_rows()), Waiting()
    late = next(row for row in rows.rows if row.trading_date == DAY and row.strategy == missing)
    rows.rows.remove(late)
    waiting.on_pause = lambda: rows.rows.append(late) if len(waiting.pauses) == 3 else None

    history = read(rows, waiting)

    assert history == History.of(history_rows(all_rows()))
    assert waiting.pauses == [0.5, 0.5, 0.5]


def history_rows(rows: list[Performance]) -> list[Performance]:
    return [row for row in rows if row.strategy == ACCOUNT or row.trading_date in {START, BEFORE, DAY}]


@pytest.mark.parametrize("missing", [ACCOUNT, "trend"])
def test_missing_row_is_awaited_no_longer_than_the_deadline(missing: str) -> None:
    rows = InMemoryRows(*(row for row in all_rows() if (row.trading_date, row.strategy) != (DAY, missing)))
    waiting = Waiting()

    with pytest.raises(NotReadyError, match="the figures of local-2022-03-15 are not written yet"):
        read(rows, waiting, seconds=2)

    assert waiting.pauses == [0.5, 0.5, 0.5]


def test_row_of_an_earlier_run_of_the_day_is_awaited() -> None:
    earlier = with_owners(TODAY).changed(
        run_id="local-2022-03-15-r1", completed_at=RUN.occurred_at - timedelta(hours=1)
    )
    rows = InMemoryRows(*(row for row in all_rows() if row.strategy != ACCOUNT), earlier)

    with pytest.raises(NotReadyError):
        read(rows)


def test_row_at_the_moment_of_the_run_is_that_of_the_run() -> None:
    rows = [row.changed(completed_at=RUN.occurred_at) for row in all_rows()]

    assert read(InMemoryRows(*rows)).account[-1].equity == RUN.equity_after


def test_rows_of_a_later_run_of_the_day_are_not_those_of_the_run() -> None:
    later = with_owners(TODAY).changed(run_id="local-2022-03-15-r2")
    waiting = Waiting()

    with pytest.raises(SupersededError, match="the figures of 2022-03-15 are those of local-2022-03-15-r2"):
        read(InMemoryRows(*(row for row in all_rows() if row.strategy != ACCOUNT), later), waiting)

    assert waiting.pauses == []


def test_rows_of_releases_without_totals_are_left_out() -> None:
    old = TODAY.changed(account=None)

    assert read(InMemoryRows(old)).account == ()


def test_many_owners_that_take_too_long_are_given_up() -> None:
    rows, waiting = InMemoryRows(*all_rows()), Waiting()
    rows.on_read = lambda: setattr(waiting, "now", waiting.now + 2)

    with pytest.raises(NotReadyError, match="took too long to read"):
        read(rows, waiting, seconds=3)

    assert [owner for owner, _, _ in rows.reads] == [ACCOUNT, ACCOUNT]
