"""Faults planted into real history: what the monitor finds of them, and what it invents.

`python -m tests.the_alchemiser.data_quality_monitor.planted` prints the table of docs/data-quality.md. The bars of a
symbol are its last six years in the bundled history, as the lake has them; the second source has a copy of its own.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from sandbox.exchange.bar_faults import BarFault, BarFaults
from sandbox.exchange.history import Bar, BarSeries, load_history
from the_alchemiser.data_quality_monitor.checks import History, Sessions
from the_alchemiser.data_quality_monitor.comparing import SecondBar, compare
from the_alchemiser.data_quality_monitor.judging import Examined, Judgement, examine, judge
from the_alchemiser.data_quality_monitor.scorecards import Scorecard
from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.exchange_calendar import shipped_calendar
from the_alchemiser.shared.market_data.lake import Description, FetchOrigin, LakeEntry, StoredDescription

HISTORY = Path(__file__).parents[3] / "sandbox" / "history"
ORIGIN = FetchOrigin("data.example.com", datetime(2023, 1, 1, tzinfo=UTC), date(1990, 1, 1))
LAKE_SESSIONS = 1512
SEED = 16


class Case(NamedTuple):
    """One kind of fault.

    Attributes:
        codes: what the monitor may call it.
        plan: returns the fault that is planted on a session; the third argument is five sessions later.
        is_latest: planted on the latest session instead of one of the last year.
    """

    name: str
    codes: frozenset[str]
    plan: Callable[[str, date, date], BarFault]
    is_latest: bool = False


class Row(NamedTuple):
    """One line of the table: how many faults of a kind were planted, and how many were found, by what was asked.

    Attributes:
        compared: the second source was asked about the symbol in this check.
        in_doubt: it is asked only about what is in doubt.
        alone: the second source does not answer.
        named: found under the right code when compared.
        invented: clean symbols that were quarantined meanwhile.
    """

    name: str
    planted: int
    compared: int
    in_doubt: int
    alone: int
    named: int
    invented: int


def _fault(
    kind: str, *, side: str = "broker", factor: float | None = None, lasts: bool = False
) -> Callable[..., BarFault]:
    def plan(symbol: str, day: date, last: date) -> BarFault:
        end = last if lasts else None
        return BarFault.model_validate(
            {"side": side, "kind": kind, "symbol": symbol, "day": day, "last": end, "factor": factor}
        )

    return plan


_LEVELS = frozenset({"unadjusted", "disagreement"})
CASES = (
    Case("missing session", frozenset({"gap"}), _fault("missing")),
    Case("duplicated bar", frozenset({"duplicate"}), _fault("duplicate")),
    Case("price of zero", frozenset({"non-positive"}), _fault("zero")),
    Case("negative price", frozenset({"non-positive"}), _fault("negative")),
    Case("high below low", frozenset({"inverted"}), _fault("inverted")),
    Case("bars end early", frozenset({"stale"}), _fault("stale")),
    Case("unadjusted split 10:1", _LEVELS, _fault("level", factor=10.0)),
    Case("unadjusted split 2:1", _LEVELS, _fault("level", factor=2.0)),
    Case("unadjusted reverse split 1:8", _LEVELS, _fault("level", factor=0.125)),
    Case("unadjusted dividend of 2 %", _LEVELS, _fault("level", factor=1.02)),
    Case("unadjusted dividend of 0.6 %", _LEVELS, _fault("level", factor=1.006)),
    Case("close 40 % too high", _LEVELS, _fault("spike", factor=1.4)),
    Case("close 15 % too low", _LEVELS, _fault("spike", factor=0.85)),
    Case("close 4 % too high", _LEVELS, _fault("spike", factor=1.04)),
    Case("close 4 % too high, latest session", _LEVELS, _fault("spike", factor=1.04), is_latest=True),
    Case("close 40 % too high, latest session", _LEVELS, _fault("spike", factor=1.4), is_latest=True),
    Case("unadjusted split 2:1, latest session", _LEVELS, _fault("level", factor=2.0), is_latest=True),
    Case("unadjusted dividend of 0.6 %, latest session", _LEVELS, _fault("level", factor=1.006), is_latest=True),
    Case("price repeated for 6 sessions", frozenset({"flat"}), _fault("flat", lasts=True)),
    Case("volume 50 times too high", frozenset({"volume"}), _fault("volume", factor=50.0)),
    Case("second source: close 10 % too low", _LEVELS, _fault("spike", side="second", factor=0.9)),
    Case("second source: unadjusted split 4:1", _LEVELS, _fault("level", side="second", factor=4.0)),
)


@cache
def series() -> Mapping[str, BarSeries]:
    """Return the bundled history."""
    return load_history(HISTORY)


def true_bars(symbol: str, sessions: int | None = None) -> tuple[Bar, ...]:
    """Return the last bars of a symbol, or all of them."""
    own = series()[symbol]
    return own.bars(0 if sessions is None else max(len(own.dates) - sessions, 0), len(own.dates))


def lake_bars(bars: tuple[Bar, ...]) -> Bars:
    return tuple(
        DailyBar(bar.date, bar.open, bar.high, bar.low, bar.close, float(bar.volume), bar.close) for bar in bars
    )


def second_bars(bars: tuple[Bar, ...]) -> Mapping[date, SecondBar]:
    """Return what the source serves: it rounds to five places."""
    return {bar.date: SecondBar(round(bar.close, 5), float(bar.volume)) for bar in bars}


class Found(NamedTuple):
    """The codes that one check found, warnings included, by what the second source was asked."""

    compared: frozenset[str]
    in_doubt: frozenset[str]
    alone: frozenset[str]


def check(symbol: str, lake: Bars, second: Mapping[date, SecondBar], as_of: date) -> Found:
    """Check one symbol through as_of in the three situations. Doubts of the true history were confirmed earlier."""
    examined = _examined(symbol, lake, as_of, _earlier_card(symbol))
    comparison = compare(lake, second, examined.doubts) if examined.is_comparable else None
    compared, alone = judge(examined, comparison, "compared"), judge(examined, None, "it does not answer")
    in_doubt = compared if examined.needs_second_source else alone
    return Found(*map(_codes, (compared, in_doubt, alone)))


def _codes(judgement: Judgement) -> frozenset[str]:
    """Return what the check found, apart from volumes that the true history has, too."""
    return frozenset(incident.code for incident in judgement.card.open_incidents)


@cache
def _earlier_card(symbol: str) -> Scorecard:
    """Return what the check of the true history has stored."""
    bars = true_bars(symbol, LAKE_SESSIONS)
    lake = lake_bars(bars)
    examined = _examined(symbol, lake, lake[-1].date, None)
    return judge(examined, compare(lake, second_bars(bars), examined.doubts), "compared").card


def _examined(symbol: str, lake: Bars, as_of: date, card: Scorecard | None) -> Examined:
    described = StoredDescription(Description.of(lake, digest="d", origin=ORIGIN), "1")
    days = [session.date for session in shipped_calendar().sessions(lake[0].date, as_of)]
    return examine(LakeEntry(symbol, lake, "d", "1"), described, History(lake, Sessions(days), as_of), card)


def plant(case: Case, symbol: str, rng: random.Random) -> Found:
    """Plant one fault on a session of the last year, and check the symbol."""
    true = true_bars(symbol, LAKE_SESSIONS)
    at = len(true) - 1 if case.is_latest else rng.randrange(len(true) - 252, len(true) - 10)
    fault = case.plan(symbol, true[at].date, true[min(at + 5, len(true) - 1)].date)
    faults, bar_of = BarFaults([fault]), partial(_bar_on, {bar.date: bar for bar in true})

    is_broker = fault.side == "broker"
    lake = lake_bars(faults.apply(symbol, true, bar_of) if is_broker else true)
    second = second_bars(true if is_broker else faults.apply(symbol, true, bar_of))
    return check(symbol, lake, second, true[-1].date)


def _bar_on(bars: Mapping[date, Bar], day: date) -> Bar:
    return bars[day]


@cache
def invented() -> tuple[str, ...]:
    """Return the clean symbols that a check quarantines, whatever the second source is asked."""
    clean: list[str] = []
    for symbol in series():
        true = true_bars(symbol, LAKE_SESSIONS)
        found = check(symbol, lake_bars(true), second_bars(true), true[-1].date)
        if found.compared or found.in_doubt or found.alone:
            clean.append(symbol)
    return tuple(clean)


def rows() -> Iterator[Row]:
    """Yield one row per kind: one fault planted into each symbol."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    for case in CASES:
        symbols = [symbol for symbol in series() if case.name[:6] != "volume" or series()[symbol].rest is not None]
        results = [plant(case, symbol, rng) for symbol in symbols]
        yield Row(
            case.name,
            len(results),
            sum(bool(found.compared) for found in results),
            sum(bool(found.in_doubt) for found in results),
            sum(bool(found.alone) for found in results),
            sum(bool(found.compared & case.codes) for found in results),
            len(invented()),
        )


def total(counted: Sequence[Row]) -> Row:
    """Return the sum of the rows; the clean symbols are the same in each."""
    planted, compared, in_doubt, alone, named = (sum(int(row[place]) for row in counted) for place in range(1, 6))
    return Row("all", planted, compared, in_doubt, alone, named, counted[0].invented)


def table() -> str:
    """Return the table of the documentation."""
    columns = ("planted", "faults", "recall, compared", "in doubt", "no second source", "precision", "right code")
    counted = list(rows())
    lines = [columns, ("---",) * len(columns), *(_line(row) for row in (*counted, total(counted)))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _line(row: Row) -> tuple[str, ...]:
    found = [_percent(count, row.planted) for count in (row.compared, row.in_doubt, row.alone)]
    precision = _percent(row.compared, row.compared + row.invented)
    return row.name, str(row.planted), *found, precision, _percent(row.named, row.compared)


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.4g} %" if of else "none"


if __name__ == "__main__":
    import sys

    sys.stdout.write(table())
