"""Measure the strategy engine on generated files like the public ones: medians over fresh processes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import timing
from benchmarks.checkout import ROOT
from benchmarks.corpus import generate, generate_bars, symbol_names
from benchmarks.timing import Result, Side

_SYMBOLS = symbol_names(260)
_SESSIONS = 3020
_SMALL = '(if (> (rsi "AAAX" {:window 10}) 50) [(asset "AAAX" nil)] [(asset "AABX" nil)])'
_WORK = "import sys, time; process_started = time.perf_counter(); from benchmarks.symphony_work import main; {}"
_YARDSTICK = "from benchmarks import symphony_yardstick"
_NAIVE = "from benchmarks.symphony_naive import main; main()"
_PEAK_BYTES = 1_000_000_000
_AT_LEAST = 50


def run(*, quick: bool) -> Iterator[Result]:
    """Measure parsing, one day, ten years, sixteen files, a cold start, and the naive evaluator."""
    times = 3 if quick else 7
    with TemporaryDirectory(prefix="symphonies-") as name:
        folder = Path(name)
        sixteen = write_strategies(folder)
        write_lake(folder)
        large = sixteen[0]

        yield timing.check_limit("parse and compile 2 MB", _seconds(times, "parse_file", folder, large), limit_s=0.5)
        yield _against_yardstick("one day of 2 MB, with its history", times, 2, "decide_one_day", folder, large)
        yield from _ten_years(times, folder, large)
        work = "decide_one_day_of_all"
        yield _against_yardstick("one day of 16 files, 10 MB", min(times, 3), 3, work, folder, *sixteen)
        yield timing.check_limit(
            "import to first result", _seconds(times, "answer_first_request", folder, "small"), limit_s=1
        )
    yield _against_naive(times)


def write_strategies(folder: Path) -> tuple[str, ...]:
    """Write sixteen files of 10 MB together, the first of 2 MB, and `small.clj`; return the names of the sixteen."""
    sizes = (2_000_000, 1_500_000, *(464_000,) * 14)
    for number, size in enumerate(sizes):
        symbols = _SYMBOLS[: 60 + number * 40 % 201]
        text = generate(seed=number, target_bytes=size, symbols=_SYMBOLS if number == 0 else symbols)
        (folder / f"corpus-{number}.clj").write_text(text)
    settings = '{:asset-class "EQUITIES", :rebalance-frequency :daily}'
    (folder / "small.clj").write_text(f'(defsymphony "Small" {settings} {_SMALL})')
    return tuple(f"corpus-{number}" for number in range(len(sizes)))


def write_lake(folder: Path) -> None:
    """Write twelve years of bars of every symbol, and a verdict that finds nothing wrong."""
    # Imported here, because `python -m benchmarks builds` does not need the product.
    from benchmarks.symphony_lake import write  # noqa: PLC0415

    write(folder, generate_bars(_SYMBOLS, _SESSIONS, seed=1))


def _against_yardstick(name: str, times: int, at_most: float, work: str, folder: Path, *names: str) -> Result:
    """Compare whole processes, from the start of Python to the decision, with one that only reads the same files."""
    ours = Side(lambda: None, lambda: _work(work, folder, *names))
    bare = Side(lambda: None, lambda: _python(_YARDSTICK, folder, *names))
    of = "reading the same files"
    return timing.check_ratio(name, *timing.time_in_turns(ours, bare, times=times), of=of, at_most=at_most)


def _ten_years(times: int, folder: Path, name: str) -> Iterator[Result]:
    runs = [_work("decide_ten_years", folder, name) for _ in range(times)]
    yield timing.check_limit("ten years of 2 MB, with their history", [run["seconds"] for run in runs], limit_s=3)
    peak = max(run["peak_bytes"] for run in runs)
    yield Result("ten years of 2 MB, peak memory", f"{peak / 1e6:.0f} MB", "under 1000 MB", peak < _PEAK_BYTES)


def _against_naive(times: int) -> Result:
    runs = [json.loads(_python(_NAIVE)) for _ in range(min(times, 3))]
    ours = median(run["ours_s"] for run in runs)
    naive = median(run["naive_s"] for run in runs)
    measured = f"{ours * 1000:.1f} ms against {naive * 1000:.0f} ms per day: {naive / ours:.0f} times faster"
    return Result(
        "60 kB against the naive evaluator", measured, f"at least {_AT_LEAST} times", naive / ours >= _AT_LEAST
    )


def _seconds(times: int, work: str, folder: Path, *names: str) -> list[float]:
    return [_work(work, folder, *names)["seconds"] for _ in range(times)]


def _work(work: str, folder: Path, *names: str) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(
        _python(_WORK.format("main(process_started, *sys.argv[1:])"), work, folder, *names)
    )
    return measured


def _python(code: str, *words: str | Path) -> str:
    return timing.run_command([sys.executable, "-c", code, *words], cwd=ROOT)
