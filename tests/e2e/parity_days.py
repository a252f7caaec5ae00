"""The days that a sandbox has traded, and the same days in a backtest at the exchange's prices."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from desk.backtest.parity import DayRecord, record_of_day, record_of_run
from desk.backtest.prices import load_prices
from desk.backtest.selection import select
from desk.backtest.signals import signals
from desk.backtest.simulate import Terms, simulate, turns_of
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
    """What the Runs table has, from the demo's day on, up to the first session without a run."""
    store = DynamoRunStore(sandbox.client("dynamodb"), sandbox.resources("alchemiser-local")["Runs"])
    found: list[DayRecord] = []
    for day in sessions_from(date.fromisoformat(FIRST_DAY)):
        run = store.load(run_id_of("local", day))
        if run is None:
            break
        found.append(record_of_run(run))
    return tuple(found)


def sessions_from(first: date) -> tuple[date, ...]:
    days: list[date] = load_prices("", {"SPY"}).history.dates.tolist()
    return tuple(day for day in days if day >= first)


def backtested_days(days: Sequence[date]) -> tuple[DayRecord, ...]:
    """The book on the same days at the exchange's prices."""
    candidates = select((), load_book())
    history = load_prices("", {symbol for one in candidates for symbol in one.program.symbols}).history
    known: list[date] = history.dates.tolist()
    turns = turns_of(days, known[known.index(days[0]) - 1])
    asked = signals(candidates, history, turns, decided=lambda _: None)
    return tuple(map(record_of_day, simulate(asked, Terms(CAPITAL, ExchangeFills(Market(load_history(HISTORY)))))))
