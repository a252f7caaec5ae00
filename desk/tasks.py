"""The desk's tasks: `strategies.*`, and `backtest` for the top level.

Each task imports what it runs, so that the others stay quick.
"""

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

_BARS = "a folder of SYMBOL.parquet or SYMBOL.csv in place of the bundled prices"
_QUESTION = {
    "names": "a strategy of the book, or a file; exactly one",
    "date": "the session whose close is the last one known, as 2022-03-15",
    "bars": _BARS,
    "rsi": "wilder or cutler; without it as the book says, else wilder",
    "ddof": "of the stdev of returns, 0 or 1; without it as the book says, else 1",
    "inception": "where a rebalance-threshold begins; without it as the book says, else the first day it can",
}


@task(
    iterable=["names"],
    optional=["html"],
    auto_shortflags=False,
    help={
        "names": "strategies of the book, or files; none means the book",
        "start": "the first session traded, as 2021-01-04; without it the first that can be",
        "end": "the last session traded; without it the last there is",
        "capital": "USD at the start",
        "costs_bps": "lost a side, in hundredths of a percent",
        "html": "write a page too, here when a path is given",
        "json": "print JSON",
        "bars": _BARS,
    },
)
def backtest(
    _context: Context,
    names: list[str],
    start: str = "",
    end: str = "",
    capital: str = "100000",
    costs_bps: str = "1",
    html: str | None = None,
    json: bool = False,
    bars: str = "",
) -> None:
    """Trade history as the deployed system would: `inv backtest [NAME...]`."""
    from desk.backtest.commands import run_backtest

    run_backtest(
        tuple(names), start=start, end=end, capital=capital, costs_bps=costs_bps, html=html, json=json, bars=bars
    )


@task(name="list", help={"json": "print JSON"})
def list_(_context: Context, json: bool = False) -> None:
    """List the strategies of the book."""
    from desk.strategies.listing import list_strategies

    list_strategies(as_json=json)


@task(
    iterable=["files"],
    help={
        "files": "strategy files; none means the book and all of its files",
        "bars": "a folder of SYMBOL.parquet or SYMBOL.csv: are there enough bars to decide",
        "strict": "warnings fail too",
        "json": "print JSON",
    },
)
def check(_context: Context, files: list[str], bars: str = "", strict: bool = False, json: bool = False) -> None:
    """Check the book, or files, before they trade: `inv strategies.check [FILE...]`."""
    from desk.strategies.check_report import check_strategies

    check_strategies(files, bars=bars, strict=strict, as_json=json)


@task(iterable=["names"], help={**_QUESTION, "json": "print JSON"})
def evaluate(
    _context: Context,
    names: list[str],
    date: str = "",
    bars: str = "",
    rsi: str = "",
    ddof: str = "",
    inception: str = "",
    json: bool = False,
) -> None:
    """Print the weights at the close of a day: `inv strategies.evaluate NAME|FILE --date D`."""
    from desk.strategies.evaluating import Question, show_weights

    show_weights(Question(names, date, bars, rsi, ddof, inception), as_json=json)


@task(iterable=["names"], help={**_QUESTION, "fragile": "mark margins below so many points", "json": "print JSON"})
def explain(
    _context: Context,
    names: list[str],
    date: str = "",
    bars: str = "",
    rsi: str = "",
    ddof: str = "",
    inception: str = "",
    fragile: str = "",
    json: bool = False,
) -> None:
    """Explain the weights of a day, decision by decision: `inv strategies.explain NAME|FILE --date D`."""
    from desk.strategies.evaluating import Question, show_path

    show_path(Question(names, date, bars, rsi, ddof, inception, fragile), as_json=json)


@task(
    iterable=["files"],
    help={
        "files": "the strategy file, exactly one",
        "allocation": "its fraction of the account, as 0.1",
        "name": "what the book calls it; without it the name of the file",
        "inception": "the first session on whose close it decides; without it the latest in the book",
        "scale": "make room: scale the other allocations down in proportion",
        "bars": _BARS,
        "json": "print JSON",
    },
)
def add(
    _context: Context,
    files: list[str],
    allocation: str = "",
    name: str = "",
    inception: str = "",
    scale: bool = False,
    bars: str = "",
    json: bool = False,
) -> None:
    """Add a strategy file to the book: `inv strategies.add FILE --allocation A --scale`."""
    from desk.strategies.adding import Wish, add_strategy

    add_strategy(Wish(files, allocation, name, inception, scale, bars), as_json=json)


def collection() -> Collection:
    """`strategies.list`, `.check`, `.explain`, `.evaluate`, `.add`."""
    return Collection("strategies", list_, check, evaluate, explain, add)
