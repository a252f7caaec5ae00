"""What the page shows of the money: the account and its positions at the broker, and its equity against SPY."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from desk import charts
from desk.charts import LineChart
from desk.operations.environment import Environment
from desk.page.live import Connection
from desk.report_model import invested, largest_first
from the_alchemiser.shared.broker.models import Account, Position
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.performance import figures
from the_alchemiser.shared.performance.figures import Figures, History
from the_alchemiser.shared.performance.rows import ACCOUNT, Performance
from the_alchemiser.shared.performance.table import DynamoPerformances
from the_alchemiser.shared.threads import map_in_threads

BENCHMARK = "SPY"
SHOWN = timedelta(days=366)
_ZERO = Decimal(0)


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
    """The account after a day's run, in USD.

    Attributes:
        figures: of the day; None when the row before it, or its own, has no totals.
        benchmark: what the first day's equity, and every deposit since, is worth in the benchmark, if that is known.
    """

    date: date
    equity: Decimal
    figures: Figures | None = None
    benchmark: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Equity:
    """The account after each run, ascending; the figures of all these days together; each owner's latest row."""

    days: tuple[EquityDay, ...]
    total: Figures | None
    owners: tuple[Performance, ...]

    @staticmethod
    def pnl_of(owner: Performance) -> Decimal | None:
        """Return what an owner gained since the first run; None for shares whose cost is unknown."""
        return None if owner.realised is None or owner.unrealised is None else owner.realised + owner.unrealised

    @property
    def chart(self) -> LineChart:
        """Return the chart; there are at least two days."""
        first, *others = self.days
        return charts.equity_curve(
            [(day.date, day.equity) for day in others],
            before=first.equity,
            start=first.date.isoformat(),
            benchmark=[(day.date, day.benchmark) for day in self.days if day.benchmark is not None],
        )


def holdings(connection: Connection) -> Holdings:
    """Ask the broker.

    Raises:
        BrokerError: it does not answer.
    """
    account = connection.broker.account()
    return Holdings(account, largest_first(connection.broker.positions()))


def performances_of(environment: Environment) -> DynamoPerformances:
    """Return the Performance table of an environment; no call is made yet."""
    return DynamoPerformances(environment.client("dynamodb"), environment.output("PerformanceTable"))


def equity(connection: Connection) -> Equity:
    """Read the Performance table and the benchmark's bars.

    Raises:
        ClientError, BotoCoreError, StateUnavailableError: AWS refused a request or does not answer.
    """
    environment = connection.environment
    performances = performances_of(environment)
    latest = performances.latest()
    if latest is None:
        return Equity((), None, ())

    rows = performances.rows_of(ACCOUNT, since=latest.trading_date - SHOWN)
    names = latest.account.owners if latest.account else _strategies(connection)
    return derive(rows, _closes(Lake(environment.objects())), _latest_rows(performances.latest, names))


def derive(rows: Sequence[Performance], closes: Mapping[date, float], owners: Sequence[Performance]) -> Equity:
    """Return the figures of each day and of all days.

    Args:
        rows: the account's, ascending.
        closes: adjusted closes of the benchmark by date.
        owners: the latest row of each strategy, and of the shares of none.
    """
    history = History.of(rows)
    of_day = {figures.through: figures for figures in figures.days(history)}
    days = [EquityDay(row.trading_date, row.equity, of_day.get(row.trading_date)) for row in rows]
    return Equity(_compared(days, closes), figures.period(history), tuple(owners))


def _compared(days: Sequence[EquityDay], closes: Mapping[date, float]) -> tuple[EquityDay, ...]:
    """Return the days with the benchmark, which takes part in every deposit; without one from a missing close on."""
    compared: list[EquityDay] = []
    worth: Decimal | None = None
    for number, day in enumerate(days):
        close = closes.get(day.date)
        before = closes.get(days[number - 1].date) if number else close
        if close is None or before is None:
            worth = None
        elif number == 0:
            worth = day.equity
        elif worth is not None:
            deposits = day.figures.deposits if day.figures else _ZERO
            worth = (worth + deposits) * Decimal(str(close)) / Decimal(str(before))
        compared.append(EquityDay(day.date, day.equity, day.figures, worth))
    return tuple(compared)


def _strategies(connection: Connection) -> tuple[str, ...]:
    """Return the owners that a row of an earlier release does not name."""
    sources = connection.record_sources()
    latest = sources.latest_id()
    run = sources.runs.load(latest) if latest else None
    return (*(run.allocations if run else ()), UNATTRIBUTED)


def _latest_rows(latest: Callable[[str], Performance | None], names: Sequence[str]) -> list[Performance]:
    rows = map_in_threads(latest, names)
    return [row for row in (rows[name] for name in names) if row is not None]


def _closes(lake: Lake) -> Mapping[date, float]:
    """Return the benchmark's adjusted closes by date; empty when the lake has no bars that can be used."""
    _, columns = lake.read_columns(BENCHMARK, ("date", "close"))
    return dict(zip(columns[0].to_pylist(), columns[1].to_pylist(), strict=True)) if columns else {}
