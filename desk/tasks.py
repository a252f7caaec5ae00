"""The desk's tasks: `strategies.*`, and `backtest` for the top level.

Each task imports its own code, so that the other tasks start quickly.
"""

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

_BARS = "folder of SYMBOL.parquet or SYMBOL.csv files (default: the bundled prices)"
_QUESTION = {
    "names": "one strategy of the book or one strategy file",
    "date": "session whose close is the last known price, for example 2022-03-15",
    "bars": _BARS,
    "rsi": "RSI method, wilder or cutler (default: from the book, otherwise wilder)",
    "ddof": "degrees of freedom of the stdev of returns, 0 or 1 (default: from the book, otherwise 1)",
    "decide": "close that decides a period, first-session or before-period (default: from the book, otherwise first)",
    "inception": "first day of a rebalance-threshold (default: from the book, otherwise the first possible day)",
}


@task(
    iterable=["names"],
    optional=["html"],
    auto_shortflags=False,
    help={
        "names": "strategies of the book or strategy files (default: the whole book)",
        "start": "first session to trade, for example 2021-01-04 (default: the first possible one)",
        "end": "last session to trade (default: the last with prices)",
        "capital": "starting capital in USD (default: 100000)",
        "costs_bps": "trading costs per side, in basis points (default: 1)",
        "html": "also write an HTML page, to this path if one is given",
        "json": "print JSON",
        "bars": _BARS,
        "csv": "also write all trades to this CSV file",
        "compare": "compare with an earlier backtest's JSON file, or with these strategies, separated by commas",
        "split": "first session out of sample: also print the statistics before and from this date",
        "robustness": "also repeat the backtest with later starts and with costs of 0 to 20 basis points",
    },
)
def backtest(  # noqa: PLR0913, PLR0917 - Invoke passes the options by name
    _context: Context,
    names: list[str],
    start: str = "",
    end: str = "",
    capital: str = "100000",
    costs_bps: str = "1",
    html: str | None = None,
    json: bool = False,
    bars: str = "",
    csv: str = "",
    compare: str = "",
    split: str = "",
    robustness: bool = False,
) -> None:
    """Trade the past as the deployed system would: `inv backtest [NAME...]`."""
    from desk.backtest.commands import run_backtest
    from desk.backtest.options import Texts

    texts = Texts(start, end, capital, costs_bps, html, csv, compare, split)
    run_backtest(tuple(names), texts, bars=bars, robustness=robustness, json=json)


@task(name="list", help={"json": "print JSON"})
def list_(_context: Context, json: bool = False) -> None:
    """List the strategies of the book."""
    from desk.strategies.listing import list_strategies

    list_strategies(as_json=json)


@task(
    iterable=["files"],
    help={
        "files": "strategy files (default: the book and all of its files)",
        "bars": "folder of SYMBOL.parquet or SYMBOL.csv files; also check that it has enough bars",
        "strict": "fail on warnings too",
        "json": "print JSON",
    },
)
def check(_context: Context, files: list[str], bars: str = "", strict: bool = False, json: bool = False) -> None:
    """Check the book or strategy files: `inv strategies.check [FILE...]`."""
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
    decide: str = "",
    inception: str = "",
    json: bool = False,
) -> None:
    """Print the weights of a day: `inv strategies.evaluate NAME|FILE --date D`."""
    from desk.strategies.evaluating import EvaluationRequest, show_weights

    show_weights(EvaluationRequest(names, date, bars, rsi, ddof, inception, decide=decide), as_json=json)


@task(
    iterable=["names"],
    help={
        **_QUESTION,
        "fragile": "mark decisions with a margin below this number (default: 0.5)",
        "json": "print JSON",
    },
)
def explain(  # noqa: PLR0913, PLR0917 - one argument per option
    _context: Context,
    names: list[str],
    date: str = "",
    bars: str = "",
    rsi: str = "",
    ddof: str = "",
    decide: str = "",
    inception: str = "",
    fragile: str = "",
    json: bool = False,
) -> None:
    """Explain these weights: `inv strategies.explain NAME|FILE --date D`."""
    from desk.strategies.evaluating import EvaluationRequest, show_path

    show_path(EvaluationRequest(names, date, bars, rsi, ddof, inception, fragile, decide), as_json=json)


@task(
    name="import",
    iterable=["files"],
    help={
        "files": "the JSON export; exactly one",
        "output": "the strategy file to write (default: in the folder of the book, under the name of the strategy)",
        "at": "the path of the strategy in a file that has several, for example '$.symphonies[0]'",
        "bars": _BARS,
        "force": "overwrite the strategy file",
        "json": "print JSON",
    },
)
def import_(
    _context: Context,
    files: list[str],
    output: str = "",
    at: str = "",
    bars: str = "",
    force: bool = False,
    json: bool = False,
) -> None:
    """Convert a Composer JSON export: `inv strategies.import FILE`."""
    from desk.strategies.importing import ImportRequest, import_strategy

    import_strategy(ImportRequest(files, output, at, bars, force), as_json=json)


@task(
    iterable=["files"],
    help={
        "files": "the strategy file; exactly one",
        "allocation": "its fraction of the account, for example 0.1",
        "name": "its name in the book (default: the name of the file)",
        "inception": "first session whose close it decides on (default: the latest inception in the book)",
        "scale": "scale the other allocations down in proportion to make room",
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
    """Add to the book: `inv strategies.add FILE --allocation A --scale`."""
    from desk.strategies.adding import AdditionRequest, add_strategy

    add_strategy(AdditionRequest(files, allocation, name, inception, scale, bars), as_json=json)


def collection() -> Collection:
    """Return the tasks `strategies.list`, `.check`, `.explain`, `.evaluate`, `.import` and `.add`."""
    return Collection("strategies", list_, check, evaluate, explain, import_, add)
