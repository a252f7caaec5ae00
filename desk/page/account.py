"""What the page shows of the money: the account and its positions at the broker, and its equity against SPY."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from desk import charts
from desk.charts import LineChart
from desk.page.live import Connection
from desk.page.performance_rows import StrategyResult, equity_by_day, latest_results
from desk.report_model import invested, largest_first
from the_alchemiser.shared.broker.models import Account, Position
from the_alchemiser.shared.market_data.lake import Lake

BENCHMARK = "SPY"
DAYS = 250
_START = 0  # of the listed days, the one that both curves start with


@dataclass(frozen=True, slots=True)
class Holdings:
    """The account now; positions are the largest first."""

    account: Account
    positions: tuple[Position, ...]

    @property
    def invested(self) -> Decimal:
        """Return the USD in positions."""
        return invested(self.positions)


@dataclass(frozen=True, slots=True)
class EquityDay:
    """The equity in USD after a day's run; `benchmark` is what the first day's equity in SPY is worth, if known."""

    date: date
    equity: Decimal
    benchmark: Decimal | None


@dataclass(frozen=True, slots=True)
class Equity:
    """The equity after each run, ascending, and the latest figures of each strategy."""

    days: tuple[EquityDay, ...]
    results: tuple[StrategyResult, ...]

    @property
    def chart(self) -> LineChart:
        """Return the chart; there are at least two days."""
        first, *others = self.days
        known = [(day.date, day.benchmark) for day in self.days if day.benchmark is not None]
        return charts.equity_curve(
            [(day.date, day.equity) for day in others],
            before=first.equity,
            start=first.date.isoformat(),
            benchmark=known,
        )


def holdings(connection: Connection) -> Holdings:
    """Ask the broker.

    Raises:
        BrokerError: it does not answer.
    """
    account = connection.broker.account()
    return Holdings(account, largest_first(connection.broker.positions()))


def equity(connection: Connection) -> Equity:
    """Read the Performance table and the benchmark's bars.

    Raises:
        ClientError, BotoCoreError, StateUnavailableError: AWS refused a request or does not answer.
    """
    environment = connection.environment
    rows = equity_by_day(environment, days=DAYS)
    sources = connection.record_sources()
    latest = sources.latest_id()
    run = sources.runs.load(latest) if latest else None
    closes = _closes(Lake(environment.objects())) if rows else {}
    return Equity(compare(rows, closes), latest_results(environment, run.allocations if run else ()))


def compare(rows: Sequence[tuple[date, Decimal]], closes: Mapping[date, float]) -> tuple[EquityDay, ...]:
    """Return each day with what the equity of the first one would be worth in the benchmark.

    Args:
        rows: date and equity in USD, ascending.
        closes: adjusted closes of the benchmark; a day without one has no comparison.
    """
    first_close = closes.get(rows[_START][0]) if rows else None
    if first_close is None:
        return tuple(EquityDay(day, value, None) for day, value in rows)

    bought = rows[_START][1] / Decimal(str(first_close))
    worth = {day: bought * Decimal(str(close)) for day, close in closes.items()}
    return tuple(EquityDay(day, value, worth.get(day)) for day, value in rows)


def _closes(lake: Lake) -> Mapping[date, float]:
    """Return the benchmark's adjusted closes by date; empty when the lake has no bars that can be used."""
    _, columns = lake.read_columns(BENCHMARK, ("date", "close"))
    return dict(zip(columns[0].to_pylist(), columns[1].to_pylist(), strict=True)) if columns else {}
