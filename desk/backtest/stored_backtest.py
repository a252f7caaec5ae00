"""Read a backtest that `inv backtest --json` printed earlier, to compare another one with it."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from automation.system.errors import UsageError
from desk.backtest.analysis.comparison import Track
from desk.backtest.result import Curve


def read_track(path: Path) -> Track:
    """Return what a comparison needs of a stored backtest; its name is that of the file.

    Raises:
        UsageError: the file cannot be read, or is not the output of `inv backtest --json`.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _not_a_backtest(path, str(error)) from error

    try:
        return _track(document, path.name)
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as error:
        raise _not_a_backtest(path, f"{type(error).__name__}: {error}") from error


def _track(document: Mapping[str, Any], name: str) -> Track:
    rows = document["equity"]
    curve = Curve(name, tuple(date.fromisoformat(row["date"]) for row in rows), _equity(rows))
    if len(rows) < 2 or any(later <= earlier for earlier, later in zip(curve.dates, curve.dates[1:], strict=False)):
        raise ValueError("its equity needs at least two rows with ascending dates")

    targets = {date.fromisoformat(decision["date"]): _weights(decision) for decision in document["decisions"]}
    return Track(name, curve, targets, int(document["trade_count"]), Decimal(document["costs"]))


def _equity(rows: list[Mapping[str, str]]) -> Any:
    values = np.array([float(row["equity"]) for row in rows])
    if not np.all(np.isfinite(values) & (values > 0)):
        raise ValueError("an equity is not a number above 0")
    return values


def _weights(decision: Mapping[str, Any]) -> Mapping[str, Decimal]:
    weights = {symbol: Decimal(weight) for symbol, weight in decision["weights"].items()}
    return {symbol: weight for symbol, weight in weights.items() if weight}


def _not_a_backtest(path: Path, problem: str) -> UsageError:
    message = f"not a backtest ({problem}); write one with inv backtest --json > {path.name}"
    return UsageError(message, where=str(path))
