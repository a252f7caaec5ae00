"""The work of the benchmark of market data, each in a fresh process that prints its figures as JSON."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from arro3.core import DataType
from arro3.io import read_parquet

from benchmarks.symphony_work import AS_OF, FolderObjects, peak_bytes
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET
from tests.the_alchemiser.data_v2.refreshing import InMemoryFetchRequests, InMemoryProgress
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.progress import Invocation
from the_alchemiser.data_v2.service import Refresher
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.market_data.lake import PREFIX, Lake
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging.commands import RefreshMarketData
from the_alchemiser.strategy_v2.history import DAY, PriceHistory
from the_alchemiser.strategy_v2.prices import read_prices

Figures = Mapping[str, float]


def load(url: str, symbols: str, last: str, years: str) -> Figures:
    """Load symbols from the exchange into memory, as the function does; what is stored counts to the peak."""
    broker = Broker(url, url, lambda: Credentials(key=SANDBOX_KEY, secret=SANDBOX_SECRET))
    objects = InMemoryObjects()
    refresher = Refresher(
        market=broker,
        lake=Lake(objects),
        actions=ActionsRefresher(broker, objects),
        requests=InMemoryFetchRequests(),
        progress=InMemoryProgress(),
        universe=tuple,
        stage="local",
        source="a benchmark",
        history_years=int(years),
        invocation=Invocation(),
    )

    started = time.perf_counter()
    command = RefreshMarketData(command="refresh-market-data", symbols=tuple(symbols.split(",")))
    (message,) = refresher.refresh(command).messages
    seconds = time.perf_counter() - started
    broker.close()
    if getattr(message, "as_of", None) != date.fromisoformat(last) or getattr(message, "failed", None):
        raise RuntimeError(f"not all symbols were loaded, so the figures mean nothing: {message}")
    return {"seconds": seconds, "peak_bytes": peak_bytes()}


def read(folder: str) -> Figures:
    """Time reading all histories of a folder as strategy_v2 does, and decoding the same files without checks."""
    paths = sorted(Path(folder, PREFIX).glob("*.parquet"))
    verdict = Verdict(checked_at=datetime.now(UTC), as_of=AS_OF, quarantined={})

    started = time.perf_counter()
    prices = read_prices(Lake(FolderObjects.of(Path(folder))), (path.stem for path in paths), verdict, as_of=AS_OF)
    history = PriceHistory.from_series(prices.series, flaws=prices.unusable)
    seconds = time.perf_counter() - started
    if len(history.closes) != len(paths):
        raise RuntimeError(f"not all symbols were read, so the time means nothing: {prices.unusable}")

    started = time.perf_counter()
    for path in paths:
        table = read_parquet(path.read_bytes()).read_all()
        table["date"].cast(DataType.int32()).to_numpy().astype(np.dtype(DAY))
        table["adjusted"].to_numpy()
    return {"seconds": seconds, "bare_s": time.perf_counter() - started}


WORK: Mapping[str, Callable[..., Figures]] = {work.__name__: work for work in (load, read)}


def main(name: str, *words: str) -> None:
    """Do one piece of work, and print its figures."""
    print(json.dumps(WORK[name](*words)))  # noqa: T201 - read by the parent process
