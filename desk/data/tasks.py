"""The tasks of market data: `data.*`. Each imports what it needs, so that all start fast."""

from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

ROOT = Path(__file__).resolve().parents[2]
_ENV = {"env": "the name of an environment in pyproject.toml"}
_JSON = {"json": "print JSON"}
_SYMBOLS = {"symbols": "symbols to load, such as SPY, with all of their history (default: what is new of the book)"}


@task(iterable=["symbols"], auto_shortflags=False, help={**_ENV, **_JSON, **_SYMBOLS})
def refresh(_context: Context, symbols: list[str], env: str = "", json: bool = False) -> None:
    """Load and check market data now: `inv data.refresh [SYMBOL...] --env E`."""
    from desk.data import refreshing

    refreshing.refresh(ROOT, env, symbols, as_json=json)


@task(auto_shortflags=False, help={**_ENV, **_JSON})
def status(_context: Context, env: str = "", json: bool = False) -> None:
    """Show what is stored of each symbol; exit 3 if the book lacks bars."""
    from desk.data import status as statuses

    statuses.report(ROOT, env, as_json=json)


@task(
    iterable=["symbols"],
    auto_shortflags=False,
    help={
        **_ENV,
        **_JSON,
        "symbols": "one symbol, such as SPY",
        "start": "first date, such as 2022-01-03 (default: the first bar)",
        "end": "last date (default: the last bar)",
        "csv": "print CSV",
    },
)
def get(
    _context: Context,
    symbols: list[str],
    env: str = "",
    start: str = "",
    end: str = "",
    csv: bool = False,
    json: bool = False,
) -> None:
    """Print stored bars: `inv data.get SYMBOL --env E`."""
    from desk.data import getting

    getting.get(ROOT, env, getting.GetRequest(symbols, start, end, as_csv=csv, as_json=json))


@task(
    iterable=["symbols"],
    auto_shortflags=False,
    help={
        **_ENV,
        "symbols": "symbols to write (default: all that are stored)",
        "to": "a new folder, or one with an earlier export",
        "csv": "write SYMBOL.csv instead of SYMBOL.parquet",
    },
)
def export(_context: Context, symbols: list[str], env: str = "", to: str = "", csv: bool = False) -> None:
    """Write bars to files for `--bars`: `inv data.export --env E --to FOLDER`."""
    from desk.data import exporting

    exporting.export(ROOT, env, exporting.ExportRequest(symbols, to, as_csv=csv))


@task(
    optional=["html"],
    auto_shortflags=False,
    help={
        **_ENV,
        **_JSON,
        "symbol": "show everything about one symbol, such as SPY",
        "html": "also write an HTML page, to this path if one is given",
    },
)
def quality(_context: Context, env: str = "", symbol: str = "", html: str | None = None, json: bool = False) -> None:
    """Show each symbol's scorecard: `inv data.quality [--symbol S] --env E`."""
    from desk.data import quality as scorecards

    scorecards.report(ROOT, env, symbol=symbol, html=html, as_json=json)


@task(
    iterable=["symbols"],
    auto_shortflags=False,
    help={
        **_ENV,
        "symbols": "one symbol, such as SPY",
        "reason": "why, stored with it",
        "day": "only what was found on this day, such as 2022-03-15 (default: all of the symbol)",
        "withdraw": "withdraw what was accepted",
        "yes": "confirm in advance",
    },
)
def accept(
    _context: Context,
    symbols: list[str],
    env: str = "",
    reason: str = "",
    day: str = "",
    withdraw: bool = False,
    yes: bool = False,
) -> None:
    """Accept what the second source contradicts: `inv data.accept SYMBOL --env E`."""
    from desk.data import accepting

    request = accepting.AcceptanceRequest(symbols, reason, day, is_withdrawal=withdraw, yes=yes)
    accepting.change(ROOT, env, request)


def data_collection() -> Collection:
    """Return the tasks `data.refresh`, `.status`, `.get`, `.export`, `.quality` and `.accept`."""
    return Collection("data", refresh, status, get, export, quality, accept)
