"""Records of the days that a sandbox has traded, and of the same days in a backtest at the exchange's prices."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from desk.backtest.parity import DayRecord, record_of_day, record_of_run
from desk.backtest.prices import load_prices
from desk.backtest.selection import select_strategies
from desk.backtest.signals import generate_signals, symbols_of, trading_sessions
from desk.backtest.simulate import Terms, simulate
from sandbox.exchange.history import load_history
from sandbox.exchange.market import Market
from sandbox.run_day import HISTORY
from tests.desk.backtest.exchange_fills import ExchangeFills
from tests.e2e.conftest import FIRST_DAY, Sandbox
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import run_id_of

CAPITAL = Decimal(100_000)


def deployed_days(sandbox: Sandbox) -> tuple[DayRecord, ...]:
    """Return the records of the Runs table from the demo's day on, up to the first session without a run."""
    store = DynamoRunStore(sandbox.client("dynamodb"), sandbox.resources("alchemiser-local")["Runs"])
    records: list[DayRecord] = []
    for day in sessions_from(date.fromisoformat(FIRST_DAY)):
        run = store.load(run_id_of("local", day))
        if run is None:
            break
        records.append(record_of_run(run))
    return tuple(records)


def sessions_from(first: date) -> tuple[date, ...]:
    days: list[date] = load_prices("", {"SPY"}).history.dates.tolist()
    return tuple(day for day in days if day >= first)


def backtested_days(days: Sequence[date]) -> tuple[DayRecord, ...]:
    """Return the records of the book on the same days in a backtest at the exchange's prices."""
    candidates = select_strategies((), load_book())
    history = load_prices("", symbols_of(candidates)).history
    known: list[date] = history.dates.tolist()
    sessions = trading_sessions(days, before=known[known.index(days[0]) - 1])
    signals = generate_signals(candidates, history, sessions, on_decided=lambda _: None)
    terms = Terms(CAPITAL, ExchangeFills(Market(load_history(HISTORY))))
    return tuple(map(record_of_day, simulate(signals, terms)))
