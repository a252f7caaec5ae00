"""Time `inv backtest` on a generated strategy of 2 MB: ten years of decisions, plans and trades."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import timing
from benchmarks.checkout import ROOT
from benchmarks.corpus import generate, generate_bars, symbol_names
from benchmarks.timing import Result, Side

_SYMBOLS = symbol_names(260)
_SESSIONS, _TEN_YEARS = 3020, 2520
_YARDSTICK = "from benchmarks import backtest_yardstick"
_LIMIT_S = 5
_AT_MOST = 9


def run(*, quick: bool) -> Iterator[Result]:
    """Time whole processes in turns with one that decides the same sessions, but trades nothing."""
    with TemporaryDirectory(prefix="backtests-") as name:
        folder = Path(name)
        strategy = folder / "large.clj"
        strategy.write_text(generate(seed=0, target_bytes=2_000_000, symbols=_SYMBOLS))
        first = str(_write_bars(folder))

        def backtest() -> None:
            inv = Path(sys.executable).parent / "inv"
            timing.run_command([inv, "backtest", strategy, "--bars", folder, "--start", first], cwd=ROOT)

        def only_decide() -> None:
            timing.run_command([sys.executable, "-c", _YARDSTICK, strategy, folder, first], cwd=ROOT)

        sides = (Side(_nothing, backtest), Side(_nothing, only_decide))
        ours, deciding = timing.time_in_turns(*sides, times=3 if quick else 7)

    yield timing.check_limit("backtest of ten years of 2 MB", ours, limit_s=_LIMIT_S)
    of = "deciding the same sessions"
    yield timing.check_ratio("the same, its trades included", ours, deciding, of=of, at_most=_AT_MOST)


def _write_bars(folder: Path) -> date:
    """Write twelve years of bars of every symbol, and return the first of the last ten years' sessions."""
    from the_alchemiser.shared.market_data.bars import DailyBar, encode_bars  # noqa: PLC0415 - other benchmarks need none

    dates: list[date] = []
    for symbol, (days, closes) in generate_bars(_SYMBOLS, _SESSIONS, seed=1).items():
        pairs = zip(days.tolist(), closes.tolist(), strict=True)
        bars = tuple(DailyBar(day, close, close, close, close, 1e6, close) for day, close in pairs)
        (folder / f"{symbol}.parquet").write_bytes(encode_bars(bars))
        dates = days.tolist()
    return dates[-_TEN_YEARS]


def _nothing() -> None:
    """Prepare nothing."""
