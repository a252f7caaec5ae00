"""The desk's tasks: `strategies.*`, and `backtest` for the top level.

Each task imports what it runs, so that the others stay quick.
"""

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

_BARS = "a folder of SYMBOL.parquet or SYMBOL.csv in place of the bundled prices"


@task(
    iterable=["names"],
    optional=["html"],
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


def collection() -> Collection:
    """`strategies.list`, `.check`, `.explain`, `.evaluate`, `.add`."""
    return Collection("strategies")
