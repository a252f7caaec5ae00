"""Build strategy files, books and folders of bars for the desk's tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

DAYS = np.arange("2022-01-03", "2022-03-26", dtype="datetime64[D]")
SPY = '(asset "SPY" nil)'
TLT = '(asset "TLT" nil)'
BOOK = """# The book of a test.
[[strategy]]
name = "calm"
file = "calm.clj"
allocation = "0.4" # less
inception = 2022-01-10

[[strategy]]
name = "bold"
file = "bold.clj"
allocation = '0.6'
inception = 2022-01-12
"""


def symphony(body: str, *, name: str = "S", rebalance: str = ":rebalance-frequency :daily") -> str:
    return f'(defsymphony "{name}" {{:asset-class "EQUITIES", {rebalance}}}\n  {body})\n'


def strategy_file(folder: Path, body: str, *, name: str = "mine.clj", rebalance: str = "") -> Path:
    path = folder / name
    path.write_text(symphony(body, rebalance=rebalance or ":rebalance-frequency :daily"))
    return path


def rising(first: float = 100.0) -> list[float]:
    """Return closes that rise by about a thousandth per day and fall on every third day."""
    return [first * (1 + 0.001 * day - 0.01 * (day % 3 == 0)) for day in range(len(DAYS))]


def bars_folder(folder: Path, closes: Mapping[str, Sequence[object]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for symbol, series in closes.items():
        lines = [f"{day},{close}" for day, close in zip(DAYS[-len(series) :], series, strict=True)]
        (folder / f"{symbol}.csv").write_text("\n".join(["date,close", *lines]) + "\n")
    return folder


def book_folder(folder: Path, book: str = BOOK, *, calm: str = SPY, bold: str = TLT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "book.toml").write_text(book)
    (folder / "calm.clj").write_text(symphony(calm))
    (folder / "bold.clj").write_text(symphony(bold))
    return folder
