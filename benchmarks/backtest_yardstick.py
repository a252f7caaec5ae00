"""The yardstick of a backtest: read the same strategy and bars, and decide the same sessions, without a trade."""

import sys
from datetime import date
from pathlib import Path

from desk.bars_folder import load_bars
from desk.decision_series import evaluate_days
from the_alchemiser.shared.book import read_symphony
from the_alchemiser.shared.symphony.compiler import compile_symphony


def main(strategy: str, folder: str, first_day: str) -> None:
    """Decide every session from the first day to the last bar."""
    program = compile_symphony(read_symphony(Path(strategy)))
    history = load_bars(Path(folder), program.symbols).history()
    first = date.fromisoformat(first_day)
    evaluate_days(program, history, first=first, last=history.dates[-1].item(), inception=first)


main(*sys.argv[1:])
