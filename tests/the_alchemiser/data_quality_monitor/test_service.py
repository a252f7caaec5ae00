"""The monitor: faulty symbols are in the verdict and in the message, and late messages change nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.data_quality_monitor.monitors import CHECK, DAYS, InMemoryMonitor, only_message, refreshed
from tests.the_alchemiser.data_quality_monitor.source_fake import InMemorySource
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.data_quality_monitor.scorecards import SCORECARDS_KEY
from the_alchemiser.data_quality_monitor.service import ATTEMPTS, NothingToCheckError
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.corporate_actions import (
    ACTIONS_KEY,
)
from the_alchemiser.shared.market_data.lake import parquet_key
from the_alchemiser.shared.market_data.objects import ObjectChangedError
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, read_verdict


def test_after_refresh_valid_lake_passes(harness: InMemoryMonitor) -> None:
    message = only_message(harness.monitor.after_refresh(refreshed()))

    assert (message.passed, message.checked, message.quarantined) == (True, 2, {})
    assert (message.as_of, message.run_id) == (DAYS[59], f"data-local-{DAYS[59]}")
    assert message.caused_by == refreshed().message_id


def test_after_refresh_writes_the_published_verdict(harness: InMemoryMonitor) -> None:
    harness.store("SPY", bars(60)[:20] + bars(60)[21:])
    message = only_message(harness.monitor.after_refresh(refreshed()))
    verdict = read_verdict(harness.objects)

    assert verdict is not None
    assert verdict.quarantined == message.quarantined == {"SPY": f"gap: {DAYS[20]}"}
    assert not message.passed
    assert verdict.checked_at == message.occurred_at


def test_after_refresh_missing_and_damaged_symbols_are_quarantined(harness: InMemoryMonitor) -> None:
    harness.universe = ("QQQ", "SPY", "TLT")
    harness.objects.plant(parquet_key("SPY"), b"junk")
    message = only_message(harness.monitor.after_refresh(refreshed()))

    assert list(message.quarantined) == ["SPY", "TLT"]
    assert message.quarantined["SPY"].startswith("damaged: ")
    assert message.quarantined["TLT"].startswith("missing: ")


def test_after_refresh_several_faults_are_all_reported(harness: InMemoryMonitor) -> None:
    history = bars(60)
    harness.store("SPY", (history[0]._replace(low=0.0), *history[1:30], *history[31:58]))

    assert only_message(harness.monitor.after_refresh(refreshed())).quarantined["SPY"] == "; ".join(
        [f"non-positive: {DAYS[0]}", f"gap: {DAYS[30]}", f"stale: last bar {DAYS[57]}, expected {DAYS[59]}"]
    )


def split(ex_date: date, symbol: str = "SPY") -> CorporateAction:
    return CorporateAction(symbol, ex_date, CorporateActionKind.SPLIT, Decimal(1), Decimal(2))


def test_after_refresh_a_split_that_the_bars_show_is_quarantined(harness: InMemoryMonitor) -> None:
    history = bars(60)
    cheap = tuple(
        bar._replace(open=bar.open / 2, high=bar.high, low=bar.low / 2, close=bar.close / 2) for bar in history
    )
    for symbol in ("SPY", "QQQ"):
        harness.store(symbol, history[:30] + cheap[30:])
    harness.store_actions(DAYS[59], split(DAYS[30]))

    message = only_message(harness.monitor.after_refresh(refreshed()))

    assert message.quarantined == {"SPY": f"unadjusted: {DAYS[30]}"}


def test_after_refresh_a_split_that_the_bars_do_not_show_passes(harness: InMemoryMonitor) -> None:
    harness.store_actions(DAYS[59], split(DAYS[30]))

    assert only_message(harness.monitor.after_refresh(refreshed())).passed


@pytest.mark.parametrize(("days", "passed"), [(0, True), (1, True), (-1, False)])
def test_after_refresh_old_corporate_actions_are_a_problem(
    harness: InMemoryMonitor, days: int, *, passed: bool
) -> None:
    fetched_on = DAYS[59] + timedelta(days=days)
    harness.store_actions(fetched_on)
    message = only_message(harness.monitor.after_refresh(refreshed()))
    verdict = read_verdict(harness.objects)

    problem = (
        f"corporate actions were last fetched {fetched_on}, not after the session of {DAYS[59]}: "
        "splits since then are unknown"
    )
    assert (message.passed, message.quarantined) == (passed, {})
    assert message.problems == (() if passed else (problem,))
    assert verdict is not None
    assert verdict.problems == message.problems


def test_after_refresh_without_corporate_actions_is_a_problem(harness: InMemoryMonitor) -> None:
    del harness.objects.objects[ACTIONS_KEY]

    (problem,) = only_message(harness.monitor.after_refresh(refreshed())).problems
    assert problem.startswith(f"corporate actions were last fetched never, not after the session of {DAYS[59]}: ")


def test_after_refresh_malformed_corporate_actions_are_a_problem(harness: InMemoryMonitor) -> None:
    harness.objects.plant(ACTIONS_KEY, b"junk")

    message = only_message(harness.monitor.after_refresh(refreshed()))

    assert not message.passed
    assert message.problems[0].startswith("corporate_actions_malformed: s3://lake/corporate-actions/v1/latest.json ")
    assert len(message.problems) == 1


def test_after_refresh_old_corporate_actions_still_explain(harness: InMemoryMonitor) -> None:
    harness.store("SPY", bars(30) + tuple(bar._replace(open=65.0, low=60.0) for bar in bars(60)[30:]))
    harness.store_actions(DAYS[58], split(DAYS[30]))

    message = only_message(harness.monitor.after_refresh(refreshed()))

    assert (list(message.quarantined), len(message.problems)) == (["SPY"], 1)


def test_after_refresh_a_new_problem_has_another_id(harness: InMemoryMonitor) -> None:
    first = only_message(harness.monitor.after_refresh(refreshed()))
    del harness.objects.objects[ACTIONS_KEY]

    assert only_message(harness.monitor.after_refresh(refreshed())).message_id != first.message_id


def test_after_refresh_same_findings_have_the_same_id(harness: InMemoryMonitor) -> None:
    first, second = (only_message(harness.monitor.after_refresh(refreshed())) for _ in range(2))
    harness.store("SPY", bars(59))
    third = only_message(harness.monitor.after_refresh(refreshed()))

    assert first.message_id == second.message_id
    assert third.message_id != first.message_id


def test_after_refresh_late_message_keeps_the_later_verdict(harness: InMemoryMonitor) -> None:
    harness.monitor.after_refresh(refreshed(DAYS[59]))
    reaction = harness.monitor.after_refresh(refreshed(DAYS[40]))
    verdict = read_verdict(harness.objects)

    assert reaction.messages == ()
    assert verdict is not None
    assert verdict.as_of == DAYS[59]


def test_after_refresh_of_some_symbols_the_others_are_not_stale(harness: InMemoryMonitor) -> None:
    """As between the close and the refresh of the night: only SPY has the bar of today."""
    harness.store("QQQ", bars(60)[:59])
    harness.check(DAYS[58])
    some = refreshed(DAYS[59]).changed(refreshed=("SPY",))
    message = only_message(harness.monitor.after_refresh(some))

    assert (message.as_of, message.quarantined) == (DAYS[58], {})
    assert harness.verdict().as_of == DAYS[58]
    assert message.caused_by == some.message_id


@pytest.mark.parametrize("failed", [{"QQQ": "broker: down"}, {}], ids=["failed", "up to date"])
def test_after_refresh_of_the_rest_the_check_goes_through_today(
    harness: InMemoryMonitor, failed: dict[str, str]
) -> None:
    """A symbol that could not be loaded is stale, one that another refresh has loaded is not."""
    harness.store("QQQ", bars(60)[: 59 if failed else 60])
    harness.check(DAYS[58])
    message = only_message(
        harness.monitor.after_refresh(refreshed(DAYS[59]).changed(refreshed=("SPY",), failed=failed))
    )

    assert message.as_of == DAYS[59]
    assert list(message.quarantined) == list(failed)


@pytest.mark.parametrize("verdict", [None, b"junk", DAYS[59]], ids=["none", "malformed", "of today"])
def test_after_refresh_of_some_symbols_without_an_earlier_verdict_goes_through_today(
    harness: InMemoryMonitor, verdict: bytes | date | None
) -> None:
    harness.store("QQQ", bars(60)[:59])
    if isinstance(verdict, bytes):
        harness.objects.plant(VERDICT_KEY, verdict)
    elif verdict is not None:
        harness.check(verdict)
    message = only_message(harness.monitor.after_refresh(refreshed(DAYS[59]).changed(refreshed=("SPY",))))

    assert (message.as_of, list(message.quarantined)) == (DAYS[59], ["QQQ"])


def test_after_refresh_of_some_symbols_a_missing_one_holds_nothing_back(harness: InMemoryMonitor) -> None:
    harness.universe = ("QQQ", "SPY", "TLT")
    harness.check(DAYS[58])
    message = only_message(harness.monitor.after_refresh(refreshed(DAYS[59]).changed(refreshed=("SPY",))))

    assert (message.as_of, list(message.quarantined)) == (DAYS[59], ["TLT"])


def test_on_command_checks_through_the_last_completed_session(harness: InMemoryMonitor) -> None:
    assert only_message(harness.monitor.on_command(CHECK)).as_of == DAYS[59]


def test_on_command_of_a_session_checks_again_through_it(harness: InMemoryMonitor) -> None:
    harness.store("SPY", bars(60)[:59])
    harness.check(DAYS[58])
    message = only_message(harness.monitor.on_command(CHECK.changed(as_of=DAYS[58])))

    assert (message.as_of, message.quarantined) == (DAYS[58], {})
    assert harness.verdict().as_of == DAYS[58]
    assert list(only_message(harness.monitor.on_command(CHECK)).quarantined) == ["SPY"]


def test_on_command_of_a_session_keeps_the_verdict_of_a_later_one(harness: InMemoryMonitor) -> None:
    harness.check(DAYS[59])

    assert harness.monitor.on_command(CHECK.changed(as_of=DAYS[58])).messages == ()
    assert harness.verdict().as_of == DAYS[59]


def test_on_command_replaces_any_verdict(harness: InMemoryMonitor) -> None:
    harness.objects.plant(VERDICT_KEY, b"junk")
    harness.monitor.on_command(CHECK)

    assert read_verdict(harness.objects) is not None


def test_on_command_empty_lake_quarantines_everything() -> None:
    message = only_message(InMemoryMonitor().monitor.on_command(CHECK))

    assert set(message.quarantined) == {"QQQ", "SPY"}


def test_on_command_empty_universe_raises_without_verdict(harness: InMemoryMonitor) -> None:
    harness.universe = ()
    with pytest.raises(NothingToCheckError):
        harness.monitor.on_command(CHECK)

    assert read_verdict(harness.objects) is None


def test_on_command_unreadable_store_writes_no_verdict(harness: InMemoryMonitor) -> None:
    harness.objects.unreadable.add(parquet_key("SPY"))
    with pytest.raises(StateUnavailableError):
        harness.monitor.on_command(CHECK)

    assert read_verdict(harness.objects) is None


def test_on_command_failed_write_publishes_nothing(harness: InMemoryMonitor) -> None:
    harness.objects.refuses.add(VERDICT_KEY)
    with pytest.raises(StateUnavailableError):
        harness.monitor.on_command(CHECK)


def beaten(harness: InMemoryMonitor, times: int) -> None:
    """Let another check write its scorecards before each of the next writes, after a file was spoilt."""

    def write() -> None:
        harness.objects.plant(parquet_key("SPY"), b"junk")
        harness.objects.plant(SCORECARDS_KEY, b"{}")
        if times > 1:
            beaten(harness, times - 1)

    harness.objects.before_write = write


def test_check_that_another_one_overtook_reads_the_lake_again(harness: InMemoryMonitor) -> None:
    beaten(harness, ATTEMPTS - 1)
    message = harness.check()

    assert set(message.quarantined) == {"SPY"}
    assert harness.verdict().quarantined == message.quarantined


def test_check_that_is_overtaken_each_time_leaves_it_to_the_next_delivery(harness: InMemoryMonitor) -> None:
    beaten(harness, ATTEMPTS)
    with pytest.raises(ObjectChangedError):
        harness.check()

    assert read_verdict(harness.objects) is None


def test_check_that_another_one_overtook_keeps_its_second_source(harness: InMemoryMonitor) -> None:
    connections: list[InMemorySource] = []

    def connect() -> InMemorySource:
        connections.append(harness.source)
        return harness.source

    harness.monitor = harness.monitor.changed(second_source=connect)
    beaten(harness, 2)
    harness.check()

    assert len(connections) == 1
