"""Measure market data: all bundled history through data_v2 in a sandbox, and reading many histories in strategy_v2."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import timing
from benchmarks.checkout import ROOT
from benchmarks.corpus import generate_bars, symbol_names
from benchmarks.timing import Result
from benchmarks.trading_day import Desk, open_desk
from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
from sandbox.exchange.history import BarSeries, load_history
from sandbox.exchange.sessions import session_after

_REFRESH_S, _READ_S = 15.0, 0.5
_PEAK_BYTES = 512_000_000  # half of the function's memory
_READ_SYMBOLS, _READ_SESSIONS = 60, 2520
_WORK = "from benchmarks.data_work import main; import sys; main(*sys.argv[1:])"


def run(*, quick: bool) -> Iterator[Result]:
    """Load all bundled history, then read 60 symbols of ten years."""
    yield from _load(2 if quick else 5)
    yield from _read(3 if quick else 7)


def _load(times: int) -> Iterator[Result]:
    history = load_history(ROOT / "sandbox/history")
    # The last session of which every symbol has a bar.
    last = min(series.dates[-1] for series in history.values())
    count = sum(series.count_through(last) for series in history.values())
    years = last.year - min(series.dates[0] for series in history.values()).year + 1

    with open_desk() as desk:
        desk.inv("deploy", "--env", "local")
        _keep_years(desk, years)
        with ExchangeControl(desk.sandbox.exchange_url) as exchange:
            exchange.set_clock(session_after(last).date, Phase.EVENING_BEFORE)
        loads = [_load_once(desk, history, last) for _ in range(times)]
        name = f"{len(history)} symbols, {count:,} bars, through the function"
        yield timing.check_limit(name, loads, limit_s=_REFRESH_S)
        measured = _work("load", desk.sandbox.exchange_url, ",".join(history), str(last), str(years))
    peak = measured["peak_bytes"]
    yield Result("the same bars, peak memory", f"{peak / 1e6:.0f} MB", "under 512 MB", peak < _PEAK_BYTES)


def _load_once(desk: Desk, history: Mapping[str, BarSeries], last: date) -> float:
    """Load every symbol in full, from the start of the command to its end, and check what is stored."""
    started = time.perf_counter()
    document = json.loads(desk.inv("data.refresh", *history, "--env", "local", "--json"))
    seconds = time.perf_counter() - started

    stored = {row["symbol"]: (row["bars"], row["last"]) for row in document["symbols"]}
    if stored != {symbol: (series.count_through(last), str(last)) for symbol, series in history.items()}:
        raise RuntimeError(f"not all bars are stored, so the time means nothing: {stored}")
    return seconds


def _keep_years(desk: Desk, years: int) -> None:
    """Let the deployed function fetch so many years; each load then fetches all of them again."""
    function = desk.sandbox.resources("alchemiser-local-data")["SharedDataFunction"]
    client = desk.sandbox.client("lambda")
    environment = client.get_function_configuration(FunctionName=function)["Environment"]
    environment["Variables"]["HISTORY_YEARS"] = str(years)
    client.update_function_configuration(FunctionName=function, Environment=environment)


def _read(times: int) -> Iterator[Result]:
    # Imported here, because `python -m benchmarks builds` does not need the product.
    from benchmarks.symphony_lake import write  # noqa: PLC0415

    with TemporaryDirectory(prefix="data-") as name:
        write(Path(name), generate_bars(symbol_names(_READ_SYMBOLS), _READ_SESSIONS, seed=1))
        runs = [_work("read", name) for _ in range(times)]
    label = f"{_READ_SYMBOLS} symbols of ten years, read in strategy_v2"
    yield timing.check_limit(label, [run["seconds"] for run in runs], limit_s=_READ_S)
    ours, bare = [run["seconds"] for run in runs], [run["bare_s"] for run in runs]
    yield timing.check_ratio(f"{label}, digests checked", ours, bare, of="decoding the same files", at_most=4)


def _work(name: str, *words: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(timing.run_command([sys.executable, "-c", _WORK, name, *words], cwd=ROOT))
    return figures
