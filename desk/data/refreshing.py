"""`inv data.refresh`: let data_v2 load market data, follow it symbol by symbol, and show what became of each."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation.system import console
from automation.system.errors import CheckFailedError
from desk.data.stored_lake import Connect, StoredLake, opened, parse_symbols
from desk.operations.environment import DATA, DATA_MODULE, Environment, connect
from desk.operations.orders import Stopwatch, this_clock
from the_alchemiser.data_v2.progress import DynamoProgress, RefreshProgress, SymbolOutcome
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.market_data.lake import Description
from the_alchemiser.shared.messaging.commands import RefreshMarketData

TASK = "data.refresh"
POLL_S = 0.5
MARGIN_S = 20.0  # for what is before and after the function: queue and cold start
_COLUMNS = ("symbol", "result", "bars", "first", "last", "why")

type Read = Callable[[str], RefreshProgress | None]
type OnNews = Callable[[RefreshProgress, tuple[str, ...]], None]


def refresh(
    root: Path,
    name: str,
    symbols: Sequence[str],
    *,
    as_json: bool = False,
    connect: Connect = connect,
    wall: Stopwatch | None = None,
) -> None:
    """Let the environment `name` load market data, and wait until it has.

    Args:
        symbols: those to load, with their whole history; none for what is new of all of the book.

    Raises:
        UsageError: there is no such environment, or no such symbol can exist.
        ConfigurationError: the broker's keys are those of another account; nothing was sent.
        CheckFailedError: some symbols were not loaded, or data_v2 does not answer.
        AutomationError: the environment cannot be used, or AWS or the broker does not answer.
    """
    command = RefreshMarketData(command="refresh-market-data", symbols=parse_symbols(symbols, task=TASK))
    environment = connect(root, name)
    with opened(environment) as lake:
        # With keys of another account, the function would do nothing, and only its log would say why.
        with closing(environment.broker()) as broker:
            require_account(broker.account(), environment.parameters.get("BrokerAccount", ""))
        what = plural(len(command.symbols), "symbol") if command.symbols else "the symbols of the book"
        with console.progress(f"{name}: {DATA_MODULE} loads {what}") as show:
            request_id = environment.send(DATA_MODULE, command)
            progress = follow(
                _progress_of(environment).read, request_id, _news(show), wall or this_clock(), environment
            )
        _show(progress, lake, as_json=as_json)
    _require_refreshed(progress, lake, patience_s=_patience_s(environment))


def follow(
    read: Read, request_id: str, on_news: OnNews, wall: Stopwatch, environment: Environment
) -> RefreshProgress | None:
    """Wait until the request is finished, or there is no news for longer than the function needs to try again.

    Returns:
        The latest progress; None when there was none.
    """
    latest: RefreshProgress | None = None
    heard_at, patience_s = wall.now(), _patience_s(environment)
    while True:
        progress = read(request_id)
        if progress is not None and progress != latest:
            before: Mapping[str, SymbolOutcome] = latest.outcomes if latest else {}
            changed = [symbol for symbol, outcome in progress.outcomes.items() if before.get(symbol) != outcome]
            on_news(progress, tuple(sorted(changed)))
            latest, heard_at = progress, wall.now()
        if (latest is not None and latest.is_finished) or wall.now() - heard_at >= patience_s:
            return latest
        wall.sleep(POLL_S)


def _patience_s(environment: Environment) -> float:
    # A delivery that fails or is ended comes again when the message becomes visible again.
    parameters = environment.parameters
    return sum(float(parameters.get(name, 40)) for name in ("InboxVisibilityS", "HandlerTimeoutS")) + MARGIN_S


def _progress_of(environment: Environment) -> DynamoProgress:
    table = environment.physical_id("FetchRequests", DATA)
    return DynamoProgress(environment.client("dynamodb"), table, now=lambda: datetime.now(UTC))


def _news(show: Callable[[str], None]) -> OnNews:
    """Return what prints one line per symbol; a terminal shows only the last one."""

    def on_news(progress: RefreshProgress, changed: tuple[str, ...]) -> None:
        tried = len(progress.outcomes)
        for number, symbol in enumerate(changed, tried - len(changed) + 1):
            outcome = progress.outcomes[symbol]
            again = ", will be tried again" if outcome.is_retryable and not progress.is_finished else ""
            line = f"{number} of {len(progress.symbols)}: {symbol} {result_of(outcome)}{again}"
            show(line)
            console.event(line)

    return on_news


def result_of(outcome: SymbolOutcome | None) -> str:
    """Return what became of a symbol, in one or two words."""
    if outcome is None:
        return "not tried"
    if outcome.error:
        return "failed"
    if outcome.repaired:
        return "repaired"
    return "refreshed" if outcome.before != outcome.after else "up to date"


def failed_symbols(progress: RefreshProgress) -> tuple[str, ...]:
    """Return the symbols that were not refreshed, or not tried, sorted."""
    outcomes = progress.outcomes
    return tuple(symbol for symbol in progress.symbols if symbol not in outcomes or outcomes[symbol].error)


def _show(progress: RefreshProgress | None, lake: StoredLake, *, as_json: bool) -> None:
    symbols = progress.symbols if progress else ()
    stored = lake.lake.describe_all(symbols)
    rows = [_facts(symbol, progress, stored[symbol].description) for symbol in symbols if progress]
    if as_json:
        finished = progress is not None and progress.is_finished
        console.result_json({"environment": lake.environment, "finished": finished, "symbols": rows})
    elif rows:
        console.table(_COLUMNS, [tuple(row.values()) for row in rows], right=("bars",))


def _facts(symbol: str, progress: RefreshProgress, description: Description | None) -> Mapping[str, Any]:
    outcome = progress.outcomes.get(symbol)
    return {
        "symbol": symbol,
        "result": result_of(outcome),
        "bars": description.rows if description else 0,
        "first": str(description.first_date) if description else "",
        "last": str(description.last_date) if description else "",
        "error": outcome.error if outcome else "",
    }


def _require_refreshed(progress: RefreshProgress | None, lake: StoredLake, *, patience_s: float) -> None:
    """Say that all symbols were refreshed.

    Raises:
        CheckFailedError: some were not.
    """
    name = lake.environment
    look = f"look with inv logs --env {name} --function {DATA_MODULE} --since 10m, and inv dlq.list --env {name}"
    if progress is None or not progress.is_finished:
        tried = f"after {len(progress.outcomes)} of {len(progress.symbols)} symbols" if progress else "at all"
        message = f"{DATA_MODULE} has not answered for {patience_s:.0f} s, {tried}"
        raise CheckFailedError(f"{message}; it may still work: {look}", where=name)
    if failed := failed_symbols(progress):
        message = f"{len(failed)} of {plural(len(progress.symbols), 'symbol')} failed; what is stored of them stays"
        raise CheckFailedError(f"{message}; once the cause is gone, run {lake.refresh_of(*failed)}", where=name)
    console.event(f"{name}: the quality check now runs by itself; inv trading.status --env {name} shows its result")
