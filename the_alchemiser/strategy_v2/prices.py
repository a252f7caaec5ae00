"""Read the adjusted closes that a decision may use: those in the lake through as_of, without unfit symbols."""

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
from arro3.core import DataType

from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.threads import map_in_threads
from the_alchemiser.strategy_v2.arrays import Dates, Floats
from the_alchemiser.strategy_v2.history import DAY

Series = tuple[Dates, Floats]
"""The dates of one symbol's bars, and its adjusted closes in USD per share."""


class Prices(Frozen):
    """The closes of the requested symbols; each symbol is in exactly one of the two mappings.

    Attributes:
        series: the bars through as_of; the last one is of as_of.
        unusable: the reason why the symbol's bars cannot be used.
    """

    series: Mapping[str, Series]
    unusable: Mapping[str, str]


def read_prices(lake: Lake, symbols: Iterable[str], verdict: Verdict, *, as_of: date) -> Prices:
    """Read bars and cut them at as_of. Quarantined, damaged, missing and stale symbols are unusable.

    Raises:
        StateUnavailableError: the store did not answer.
    """
    outcomes = map_in_threads(lambda symbol: _read(lake, symbol, verdict, as_of), symbols)
    return Prices(
        {symbol: series for symbol, series in outcomes.items() if not isinstance(series, str)},
        {symbol: reason for symbol, reason in outcomes.items() if isinstance(reason, str)},
    )


def _read(lake: Lake, symbol: str, verdict: Verdict, as_of: date) -> Series | str:
    """Return the series, or the reason why it is unusable."""
    reason = verdict.reason(symbol, as_of)
    if reason is not None:
        return f"quarantined: {reason}"

    entry, columns = lake.read_columns(symbol, ("date", "adjusted"))
    if entry.fault is not None:
        return entry.fault

    dates = columns[0].cast(DataType.int32()).to_numpy().astype(DAY)
    closes = columns[1].to_numpy()
    last_session = np.datetime64(as_of, "D")
    if len(dates) and dates.max() == last_session:
        return dates, closes

    known = dates <= last_session
    last = dates[known].max().item() if known.any() else None
    if last != as_of:
        return f"stale: last bar {last or 'none'}, expected {as_of}"
    return dates[known], closes[known]
