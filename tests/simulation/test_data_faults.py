"""Twenty days with faults in the data on known dates: each is in the scorecard, and nothing trades on a bad symbol.

The real data_v2 and monitor work every night. A fault is planted on the evening before a session, before the nightly
refresh, and is gone on the next evening.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest

from sandbox.exchange.bar_faults import BarFault
from sandbox.exchange.faults import Fault
from sandbox.exchange.sessions import sessions_between
from tests.simulation.aws_clients import StoredBody
from tests.simulation.end_state import EndState
from tests.simulation.kernel import _History
from tests.simulation.lake import evening_before
from tests.simulation.scenario import DayKind, Scenario
from tests.simulation.system import System
from tests.simulation.world import microseconds
from the_alchemiser.data_quality_monitor.scorecards import SCORECARDS_KEY, Incident, Scorecard, Scorecards
from the_alchemiser.shared.market_data.lake import parquet_key
from the_alchemiser.shared.run.runs import RunState

pytestmark = pytest.mark.slow

DAYS = tuple(session.date for session in sessions_between(date(2022, 6, 1), date(2022, 6, 30)))[:20]
ALWAYS_NEEDED = frozenset({"AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH", "KKK", "LLL"})
"""The symbols without which one of the strategies cannot be decided; it needs MMM and NNN on some days only."""
ASK_EVERY_SYMBOL = {"SECOND_SOURCE_SAMPLE": "100"}
CHECK = '{"command": "check-data-quality"}'


class Planted(NamedTuple):
    """A fault on the evening before a session: where it is planted, and the code under which it must be found.

    Attributes:
        day: number of the session; the fault is in the bar of the session before it, or of `back` sessions earlier.
        last: number of sessions that it lasts.
    """

    day: int
    symbol: str
    kind: str
    code: str
    side: str = "broker"
    factor: float | None = None
    back: int = 0


FAULTS = (
    Planted(1, "AAA", "spike", "disagreement", factor=1.3),
    Planted(3, "FFF", "level", "unadjusted", factor=10.0),
    Planted(4, "GGG", "missing", "gap", back=3),
    Planted(6, "HHH", "duplicate", "stale"),
    Planted(7, "BBB", "zero", "non-positive"),
    Planted(8, "CCC", "negative", "non-positive"),
    Planted(9, "DDD", "inverted", "inverted"),
    Planted(11, "EEE", "missing", "stale"),
    Planted(12, "KKK", "spike", "disagreement", side="second", factor=0.9),
    Planted(14, "FFF", "flat", "flat", back=5),
    Planted(15, "AAA", "level", "unadjusted", factor=1.02, back=4),
    Planted(16, "NNN", "spike", "disagreement", factor=0.7),
)
OUTAGE, TRUNCATED = 17, 18
"""The second source is down while LLL jumps; after the check, an object is cut off, and the lake is checked again."""
FAULTY_DAYS = {fault.day: fault.symbol for fault in FAULTS} | {OUTAGE: "LLL", TRUNCATED: "BBB"}


@dataclass(frozen=True, slots=True)
class TwentyDays:
    """The end of the days, and the scorecards at their end and after each night."""

    end: EndState
    cards: dict[str, Scorecard]
    quarantined: dict[int, frozenset[str]]


@pytest.fixture(scope="module")
def twenty_days() -> TwentyDays:
    history = _History(
        Scenario(seed=16, kind=DayKind.NORMAL, dates=DAYS, real_data=True, settings=ASK_EVERY_SYMBOL), keep_logs=False
    )
    system, quarantined = history.system, dict[int, frozenset[str]]()
    for number, at, act in planned_acts(system, quarantined):
        system.world.schedule(microseconds(evening_before(DAYS[number])) + minutes(at), act)
    end = history.run()
    return TwentyDays(end, cards_of(system), quarantined)


def minutes(number: int) -> int:
    return number * timedelta(minutes=1) // timedelta(microseconds=1)


def planned_acts(
    system: System, quarantined: dict[int, frozenset[str]]
) -> Iterator[tuple[int, int, Callable[[], Any]]]:
    """Yield number of the day, minutes after the nightly refresh of the evening before, and what happens."""
    for number in range(len(DAYS)):
        yield number, -1, partial(renew_faults, system, number)
        yield number, 120, partial(note_quarantined, system, number, quarantined)
    yield TRUNCATED, 60, partial(truncate, system, FAULTY_DAYS[TRUNCATED])
    yield TRUNCATED, 61, lambda: system.inboxes["MonitorInbox"].send(CHECK)


def renew_faults(system: System, number: int) -> None:
    """Remove the faults of the day before, and plant those of the day."""
    venue = system.brokerage.venue
    sides = {"broker": venue.exchange.market.bar_faults, "second": venue.second.faults}
    venue.faults.clear()
    for faults in sides.values():
        faults.planted.clear()
    for fault in FAULTS:
        if fault.day == number:
            planted = bar_fault(fault.symbol, fault.kind, number - fault.back, fault.factor)
            sides[fault.side].planted.append(planted.model_copy(update={"side": fault.side}))
    if number == OUTAGE:
        sides["broker"].planted.append(bar_fault("LLL", "spike", number, 1.2))
        venue.faults.plant(Fault(kind="refuse", status=503, times=1000, path="/time_series"))


def bar_fault(symbol: str, kind: str, number: int, factor: float | None) -> BarFault:
    """Return a fault in the bar of the session before a day."""
    return BarFault.model_validate({"kind": kind, "symbol": symbol, "day": DAYS[number - 1], "factor": factor})


def truncate(system: System, symbol: str) -> None:
    stored = system.account.objects[parquet_key(symbol)]
    half = stored.body[: len(stored.body) // 2]
    system.account.objects[parquet_key(symbol)] = StoredBody(half, '"cut"', stored.metadata)


def cards_of(system: System) -> dict[str, Scorecard]:
    return dict(Scorecards.read_json(system.account.objects[SCORECARDS_KEY].body).by_symbol())


def note_quarantined(system: System, number: int, quarantined: dict[int, frozenset[str]]) -> None:
    cards = cards_of(system).values()
    quarantined[number] = frozenset(card.symbol for card in cards if card.quarantined_since is not None)


def incidents(card: Scorecard, code: str, day: date) -> list[Incident]:
    return [incident for incident in card.incidents if incident.code == code and incident.since == day]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.symbol}")
def test_each_fault_is_in_the_scorecard_with_its_dates(twenty_days: TwentyDays, fault: Planted) -> None:
    found, end = DAYS[fault.day - 1], DAYS[fault.day]

    (incident,) = incidents(twenty_days.cards[fault.symbol], fault.code, found)
    assert incident.until == end


def test_move_without_the_second_source_is_unconfirmed(twenty_days: TwentyDays) -> None:
    (incident,) = incidents(twenty_days.cards["LLL"], "unconfirmed", DAYS[OUTAGE - 1])

    assert "second_source_unavailable: it answers 503" in incident.detail
    assert incident.until == DAYS[OUTAGE]


def test_truncated_object_is_found_and_replaced(twenty_days: TwentyDays) -> None:
    (incident,) = incidents(twenty_days.cards["BBB"], "damaged", DAYS[TRUNCATED - 1])

    # On the next day a strategy misses the symbol and requests it, so it is loaded and checked before the night.
    assert incident.until == DAYS[TRUNCATED - 1]


def test_no_other_symbol_is_ever_quarantined(twenty_days: TwentyDays) -> None:
    expected = {
        number: frozenset({FAULTY_DAYS[number]} if number in FAULTY_DAYS else ()) for number in range(len(DAYS))
    }

    assert twenty_days.quarantined == expected


def test_run_fails_by_name_on_the_days_that_need_a_quarantined_symbol(twenty_days: TwentyDays) -> None:
    runs = {run.trading_date: run for run in twenty_days.end.runs.values()}
    states = [runs[day].state for day in DAYS]

    needed = {number for number, symbol in FAULTY_DAYS.items() if symbol in ALWAYS_NEEDED}
    for number in needed:
        assert states[number] is RunState.FAILED, DAYS[number]
    for number in set(range(len(DAYS))) - FAULTY_DAYS.keys():
        assert states[number] is RunState.COMPLETED, DAYS[number]
    failures = [mail.text for mail in twenty_days.end.mails if "run FAILED" in mail.subject]
    for number in needed:
        assert any(f"{FAULTY_DAYS[number]}" in text and "quarantined: " in text for text in failures)


def test_no_order_is_sent_on_the_days_of_a_failed_run(twenty_days: TwentyDays) -> None:
    failed = {run.trading_date for run in twenty_days.end.runs.values() if run.state is RunState.FAILED}
    traded = {post.at.date() for post in twenty_days.end.posts}

    assert failed
    assert traded
    assert traded & failed == set()


def test_each_fault_is_mailed(twenty_days: TwentyDays) -> None:
    subjects = [mail.subject for mail in twenty_days.end.mails]

    for number in FAULTY_DAYS:
        assert any(f"{DAYS[number - 1]}: market data FAILED its check" in subject for subject in subjects)
