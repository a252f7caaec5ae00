"""What may be decided on: the adjusted closes of the lake through as_of, and which symbols have none to use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from arro3.core import DataType

from the_alchemiser.shared.market_data.lake import Lake, each
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.strategy_v2.arrays import Dates, Floats
from the_alchemiser.strategy_v2.history import DAY

Series = tuple[Dates, Floats]
"""Dates of one symbol, and its adjusted closes, USD a share."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Every symbol asked for is in exactly one of the two.

    Attributes:
        series: bars through as_of, of which there is one.
        absent: the reason why there are none.
    """

    series: Mapping[str, Series]
    absent: Mapping[str, str]


def read_prices(lake: Lake, symbols: Iterable[str], verdict: Verdict, *, as_of: date) -> Prices:
    """Read bars and cut them at as_of; quarantined, damaged, missing and stale symbols are absent.

    Raises:
        StateUnavailableError: the store did not answer.
    """
    found = each(lambda symbol: _read(lake, symbol, verdict, as_of), symbols)
    return Prices(
        {symbol: series for symbol, series in found.items() if not isinstance(series, str)},
        {symbol: reason for symbol, reason in found.items() if isinstance(reason, str)},
    )


def _read(lake: Lake, symbol: str, verdict: Verdict, as_of: date) -> Series | str:
    """The series, or why there is none to use."""
    if symbol in verdict.quarantined:
        return f"quarantined: {verdict.quarantined[symbol]}"
    entry, columns = lake.read_columns(symbol, ("date", "adjusted"))
    if entry.fault is not None:
        return entry.fault
    dates = columns[0].cast(DataType.int32()).to_numpy().astype(DAY)
    known = dates <= np.datetime64(as_of, "D")
    last = dates[known].max().item() if known.any() else None
    if last != as_of:
        return f"stale: last bar {last or 'none'}, expected {as_of}"
    return dates[known], columns[1].to_numpy()[known]
