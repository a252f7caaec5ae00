"""The monitor with its second source, its memory, and its two calendars."""

from datetime import timedelta

import pytest

from tests.the_alchemiser.data_quality_monitor.monitors import DAYS, WEEKDAYS, InMemoryMonitor, only_message, refreshed
from tests.the_alchemiser.data_quality_monitor.source_fake import second_bars
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.data_quality_monitor.scorecards import SCORECARDS_KEY
from the_alchemiser.data_quality_monitor.second_source import SecondSourceUnavailableError, UnknownSymbolError
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY

CRASH = bars(30) + tuple(
    bar._replace(open=bar.open / 2, high=bar.high / 2, low=bar.low / 2, close=bar.close / 2, adjusted=bar.close / 2)
    for bar in bars(60)[30:]
)
"""A history that halves on DAYS[30]."""


def test_check_confirmed_move_is_not_quarantined(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.source.served["SPY"] = second_bars(CRASH)

    assert harness.check().passed
    assert harness.source.asked == [("SPY", True)]


def test_check_confirmed_move_stays_confirmed_without_the_source(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.source.served["SPY"] = second_bars(CRASH)
    harness.check()
    harness.source.fails["*"] = SecondSourceUnavailableError("down")

    assert harness.check().passed
    assert harness.source.asked == [("SPY", True)]


def test_check_unconfirmed_move_is_quarantined_and_the_others_go_on(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.source.fails["*"] = SecondSourceUnavailableError("it does not answer: ReadTimeout")

    message = harness.check()

    reason = "the second source: second_source_unavailable: it does not answer: ReadTimeout"
    assert message.quarantined == {"SPY": f"unconfirmed: {DAYS[30]} -49.61 %: {reason}"}
    assert message.problems == (f"{reason}; not compared: SPY",)


def test_check_move_of_a_symbol_that_the_source_lacks_is_no_problem_of_the_source(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.store("QQQ", CRASH)
    harness.source.fails["QQQ"] = UnknownSymbolError("it has nothing for QQQ: 404")
    harness.source.served["SPY"] = second_bars(CRASH)

    message = harness.check()

    assert (list(message.quarantined), message.problems) == (["QQQ"], ())


def test_check_disagreement_lasts_until_the_bars_change_or_the_source_agrees(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.source.served["SPY"] = second_bars(bars(60))
    assert harness.check(DAYS[58]).quarantined["SPY"].startswith(f"unadjusted: {DAYS[30]}: ")

    harness.source.fails["*"] = SecondSourceUnavailableError("down")
    assert harness.check(DAYS[59]).quarantined["SPY"].startswith(f"unadjusted: {DAYS[30]}: ")
    assert [entry.since for entry in harness.verdict().entries] == [DAYS[58]]

    harness.store("SPY", bars(60))
    message = harness.check(DAYS[59])
    assert message.quarantined == {}


def test_check_disagreement_ends_when_the_source_agrees(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.source.served["SPY"] = second_bars(bars(60))
    harness.check(DAYS[58])
    harness.source.served["SPY"] = second_bars(CRASH)

    assert harness.check(DAYS[59]).passed
    (incident,) = harness.card("SPY").incidents
    assert (incident.code, incident.since, incident.until) == ("unadjusted", DAYS[58], DAYS[59])


def test_check_writes_entries_with_dates(harness: InMemoryMonitor) -> None:
    harness.store("SPY", bars(60)[:20] + bars(60)[21:])
    harness.check(DAYS[40])
    harness.check(DAYS[41])

    (entry,) = harness.verdict().entries
    assert (entry.symbol, entry.code, entry.detail) == ("SPY", "gap", str(DAYS[20]))
    assert (entry.since, entry.expires) == (DAYS[40], DAYS[41] + timedelta(days=7))


def test_check_sample_takes_turns(harness: InMemoryMonitor) -> None:
    turning = InMemoryMonitor(objects=harness.objects, source=harness.source, sample=1)
    harness.source.served = {"SPY": second_bars(bars(60)), "QQQ": second_bars(bars(60))}

    for day in DAYS[50:53]:
        turning.check(day)

    assert harness.source.asked == [("QQQ", False), ("SPY", False), ("QQQ", False)]
    assert turning.card("SPY").compared_on == DAYS[51]
    assert turning.card("SPY").comparison == "not asked"


def test_check_quotes_why_the_refresh_failed(harness: InMemoryMonitor) -> None:
    harness.store("SPY", bars(59))
    message = refreshed().changed(failed={"SPY": "malformed_bars: the broker sent the bar of 2022-03-25 twice"})

    quarantined = only_message(harness.monitor.after_refresh(message)).quarantined["SPY"]
    assert quarantined.endswith("; the refresh failed: malformed_bars: the broker sent the bar of 2022-03-25 twice")


def test_check_calendars_that_differ_are_a_problem_and_blame_no_symbol(harness: InMemoryMonitor) -> None:
    closed = WEEKDAYS.changed(closed=frozenset({DAYS[20]}))
    differing = InMemoryMonitor(objects=harness.objects, calendar=closed)
    harness.store("SPY", bars(60)[:20] + bars(60)[21:])

    message = differing.check()

    assert message.quarantined == {}
    assert message.problems == (f"calendars differ on {DAYS[20]}: the broker has a session, the exchange has none",)


def test_check_many_differences_of_calendars_are_counted(harness: InMemoryMonitor) -> None:
    closed = WEEKDAYS.changed(closed=frozenset(DAYS[10:15]))

    problems = InMemoryMonitor(objects=harness.objects, calendar=closed).check().problems

    assert [problem[:30] for problem in problems] == [
        *(f"calendars differ on {day}" for day in DAYS[12:15]),
        "calendars differ on 2 earlier ",
    ]
    assert problems[-1].endswith(f"from {DAYS[10]} on")


@pytest.mark.parametrize(("days", "is_problem"), [(180, False), (179, True)])
def test_check_calendar_that_ends_soon_is_a_problem(harness: InMemoryMonitor, days: int, *, is_problem: bool) -> None:
    ending = WEEKDAYS.changed(last=DAYS[59] + timedelta(days=days))

    assert bool(InMemoryMonitor(objects=harness.objects, calendar=ending).check().problems) == is_problem


def test_check_beyond_the_calendar_takes_the_sessions_of_the_broker(harness: InMemoryMonitor) -> None:
    harness.store("SPY", bars(60)[:50] + bars(60)[51:])
    ended = InMemoryMonitor(objects=harness.objects, calendar=WEEKDAYS.changed(last=DAYS[40]))

    message = ended.check()

    assert message.quarantined == {"SPY": f"gap: {DAYS[50]}"}
    assert message.problems == (f"the shipped calendar ends on {DAYS[40]}: deploy a release with a longer one",)


def test_check_malformed_scorecards_are_a_problem_and_are_replaced(harness: InMemoryMonitor) -> None:
    harness.objects.plant(SCORECARDS_KEY, b"junk")

    (problem,) = harness.check().problems

    assert problem.startswith("s3://lake/quality/v1/scorecards.json cannot be parsed, so earlier findings are lost: ")
    assert harness.check().passed


def test_check_writes_the_scorecards_before_the_verdict(harness: InMemoryMonitor) -> None:
    harness.check()

    assert harness.objects.writes[-2:] == [SCORECARDS_KEY, VERDICT_KEY]


def test_check_late_message_leaves_the_scorecards(harness: InMemoryMonitor) -> None:
    harness.check(DAYS[59])
    before = harness.objects.objects[SCORECARDS_KEY]
    harness.monitor.after_refresh(refreshed(DAYS[40]))

    assert harness.objects.objects[SCORECARDS_KEY] == before


def test_check_twice_changes_nothing(harness: InMemoryMonitor) -> None:
    harness.store("SPY", CRASH)
    harness.source.fails["*"] = SecondSourceUnavailableError("down")
    harness.check()
    before = harness.objects.objects[SCORECARDS_KEY].body
    harness.check()

    assert harness.objects.objects[SCORECARDS_KEY].body == before


def test_check_records_what_the_refresh_has_repaired_once(harness: InMemoryMonitor) -> None:
    message = refreshed().changed(repaired={"SPY": "damaged: bars/v1/SPY.parquet does not match its digest"})
    for _ in range(2):
        assert only_message(harness.monitor.after_refresh(message)).passed

    (incident,) = harness.card("SPY").incidents
    assert (incident.code, incident.detail) == ("damaged", "bars/v1/SPY.parquet does not match its digest")
    assert (incident.since, incident.until) == (DAYS[59], DAYS[59])
