"""Accepted findings: each holds for exactly one day, code and pair of values, in every later check."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from tests.the_alchemiser.data_quality_monitor.monitors import DAYS, InMemoryMonitor
from tests.the_alchemiser.data_quality_monitor.source_fake import second_bars
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.data_quality_monitor.acceptances import (
    ACCEPTED_KEY,
    Acceptance,
    Acceptances,
    Contested,
    contested,
    read_acceptances,
    write_acceptances,
)
from the_alchemiser.data_quality_monitor.comparing import Dispute
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind
from the_alchemiser.data_quality_monitor.second_source import SecondSourceUnavailableError, UnknownSymbolError
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.objects import ObjectChangedError

DAY = date(2022, 2, 14)
FINDING = Contested("disagreement", DAY, -0.0991, 0.0122, "2022-02-14: differs")
GOOD = bars(60, start_price=1000.0)


def accepted(finding: Contested, symbol: str = "SPY") -> Acceptance:
    at = datetime(2022, 3, 26, 14, tzinfo=UTC)
    return Acceptance(symbol=symbol, by="eva", at=at, reason="seen at the exchange", **msgspec.structs.asdict(finding))


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"detail": "other words"}, True),
        ({"value": -0.0949}, True),
        ({"second": 0.0165}, True),
        ({"code": "unadjusted"}, False),
        ({"date": date(2022, 2, 15)}, False),
        ({"value": -0.1042}, False),
        ({"value": -0.0940}, False),
        ({"second": 0.0071}, False),
        ({"second": 0.0173}, False),
        ({"second": None}, False),
    ],
)
def test_acceptance_holds_for_exactly_its_finding(changed: dict[str, object], *, holds: bool) -> None:
    assert accepted(FINDING).holds_for(FINDING.changed(**changed)) == holds


def test_acceptance_of_what_the_source_lacks_ends_when_it_has_something() -> None:
    lacking = FINDING.changed(code="flat", value=6.0, second=None)

    assert accepted(lacking).holds_for(lacking)
    assert not accepted(lacking).holds_for(lacking.changed(second=0.0))
    assert not accepted(lacking).holds_for(lacking.changed(value=7.0))


def test_contested_days_are_disputes_and_unconfirmed_doubts_of_other_days() -> None:
    doubts = (
        Doubt(DoubtKind.MOVE, DAY, -0.5),
        Doubt(DoubtKind.MOVE, date(2022, 2, 15), 0.25),
        Doubt(DoubtKind.FLAT, date(2022, 2, 16), 6.0),
        Doubt(DoubtKind.VOLUME, date(2022, 2, 17), 30.0),
    )

    assert contested([Dispute("unadjusted", DAY, -0.5, "a split", 0.001)], doubts) == (
        Contested("unadjusted", DAY, -0.5, 0.001, "a split"),
        Contested("unconfirmed", date(2022, 2, 15), 0.25, None, "2022-02-15 +25.00 %"),
        Contested("flat", date(2022, 2, 16), 6.0, None, "the same price from 2022-02-16 for 6 sessions"),
    )


def test_stored_acceptances_are_read_again() -> None:
    objects = InMemoryObjects()
    assert read_acceptances(objects).acceptances.accepted == ()

    stored = Acceptances(accepted=(accepted(FINDING), accepted(FINDING, "TLT")))
    write_acceptances(objects, stored, replaces=None)

    assert read_acceptances(objects).acceptances == stored
    assert stored.of("TLT") == (accepted(FINDING, "TLT"),)


def test_stored_acceptances_that_somebody_else_changed_are_not_replaced() -> None:
    objects = InMemoryObjects()
    objects.plant(ACCEPTED_KEY, b"{}")

    with pytest.raises(ObjectChangedError):
        write_acceptances(objects, Acceptances(), replaces=None)
    assert read_acceptances(objects).fault == ""


def shifted(day: date, factor: float, history: Bars = GOOD) -> Bars:
    """Return bars with another close on one day."""
    return tuple(bar._replace(adjusted=bar.adjusted * factor) if bar.date == day else bar for bar in history)


def disputing(day: date = DAYS[30], *, factor: float = 0.96) -> InMemoryMonitor:
    """Return a monitor whose lake has another close of SPY on a day than the second source."""
    harness = InMemoryMonitor(sample=2)
    for symbol in harness.universe:
        harness.store(symbol, GOOD)
        harness.source.served[symbol] = second_bars(GOOD)
    harness.source.served["SPY"] = second_bars(shifted(day, factor))
    return harness


def accept_everything(harness: InMemoryMonitor, symbol: str = "SPY") -> None:
    findings = harness.card(symbol).contested
    assert findings
    entry = read_acceptances(harness.objects)
    own = [accepted(finding, symbol) for finding in findings]
    content = Acceptances(accepted=(*entry.acceptances.accepted, *own))
    write_acceptances(harness.objects, content, replaces=entry.version)


def codes(harness: InMemoryMonitor) -> list[str]:
    return [entry.code for entry in harness.verdict().entries]


def test_check_of_an_accepted_disagreement_quarantines_nothing() -> None:
    harness = disputing()
    harness.check(DAYS[58])
    assert codes(harness) == ["disagreement"]

    accept_everything(harness)
    assert harness.check().quarantined == {}
    card = harness.card("SPY")
    [acceptance] = card.accepted
    assert (acceptance.code, acceptance.date, acceptance.by) == ("disagreement", DAYS[30], "eva")
    assert card.checks["disagreement"].endswith("(accepted by eva)")
    assert (card.quarantined_since, card.disagreements) == (None, 1)
    assert [(incident.code, incident.quarantines, incident.until) for incident in card.incidents] == [
        ("disagreement", False, None)
    ]


def test_check_of_an_accepted_disagreement_survives_an_outage_and_asks_for_no_credit() -> None:
    harness = disputing()
    harness.check()
    accept_everything(harness)
    harness.monitor = harness.monitor.changed(sample=0)
    harness.source.asked.clear()

    assert harness.check().passed
    assert harness.check().passed
    assert harness.source.asked == []
    assert len(harness.card("SPY").accepted) == 1

    harness.monitor = harness.monitor.changed(sample=2)
    harness.source.fails["*"] = SecondSourceUnavailableError("down")
    assert harness.check().quarantined == {}


def test_check_of_a_disagreement_on_another_day_quarantines_again() -> None:
    harness = disputing()
    harness.check()
    accept_everything(harness)
    harness.source.served["SPY"] = second_bars(shifted(DAYS[45], 0.96, shifted(DAYS[30], 0.96)))

    message = harness.check()

    assert message.quarantined["SPY"].startswith(f"disagreement: {DAYS[45]}: ")
    assert "more day" not in message.quarantined["SPY"]
    assert [acceptance.date for acceptance in harness.card("SPY").accepted] == [DAYS[30]]
    assert harness.card("SPY").checks["disagreement"].startswith(f"{DAYS[45]}: ")


def test_check_of_a_disagreement_of_another_size_quarantines_again() -> None:
    harness = disputing()
    harness.check()
    accept_everything(harness)
    harness.source.served["SPY"] = second_bars(shifted(DAYS[30], 0.93))

    assert harness.check().quarantined["SPY"].startswith(f"disagreement: {DAYS[30]}: ")
    assert harness.card("SPY").accepted == ()


def test_check_of_another_fault_quarantines_although_a_disagreement_is_accepted() -> None:
    harness = disputing()
    harness.check()
    accept_everything(harness)
    harness.store("SPY", GOOD[:20] + GOOD[21:])

    assert harness.check().quarantined == {"SPY": f"gap: {DAYS[20]}"}


def test_check_after_a_withdrawal_quarantines_again() -> None:
    harness = disputing()
    harness.check(DAYS[58])
    accept_everything(harness)
    harness.check()
    entry = read_acceptances(harness.objects)
    write_acceptances(harness.objects, Acceptances(), replaces=entry.version)

    assert list(harness.check().quarantined) == ["SPY"]
    [quarantine] = harness.verdict().entries
    assert (quarantine.code, quarantine.since) == ("disagreement", DAYS[58])


def test_check_of_the_same_difference_in_another_symbol_quarantines_it() -> None:
    harness = disputing()
    harness.source.served["QQQ"] = harness.source.served["SPY"]
    harness.check()
    accept_everything(harness)

    assert list(harness.check().quarantined) == ["QQQ"]


def halved(history: Bars, at: int) -> Bars:
    return tuple(bar._replace(adjusted=bar.adjusted / 2) if number >= at else bar for number, bar in enumerate(history))


def test_check_of_an_accepted_move_that_the_source_lacks_quarantines_nothing() -> None:
    harness = disputing(factor=1.0)
    harness.store("SPY", halved(GOOD, 30))
    harness.source.fails["SPY"] = UnknownSymbolError("it has nothing for SPY: 404")
    harness.check()
    assert codes(harness) == ["unconfirmed"]

    accept_everything(harness)
    assert harness.check().passed
    assert harness.card("SPY").checks["unconfirmed"] == f"{DAYS[30]} -49.95 % (accepted by eva)"

    harness.store("SPY", halved(halved(GOOD, 30), 40))
    assert harness.check().quarantined["SPY"].startswith(f"unconfirmed: {DAYS[40]} -49.95 %: ")


def test_check_of_an_accepted_move_that_the_source_contradicts_quarantines_again() -> None:
    harness = disputing(factor=1.0)
    harness.store("SPY", halved(GOOD, 30))
    harness.source.fails["SPY"] = UnknownSymbolError("it has nothing for SPY: 404")
    harness.check()
    accept_everything(harness)
    harness.source.fails.clear()

    assert harness.check().quarantined["SPY"].startswith(f"unadjusted: {DAYS[30]}: ")


def test_check_of_an_accepted_split_needs_no_further_answer_about_its_move() -> None:
    harness = disputing(factor=1.0)
    harness.store("SPY", halved(GOOD, 30))
    harness.check()
    assert codes(harness) == ["unadjusted"]
    accept_everything(harness)
    harness.monitor = harness.monitor.changed(sample=0)
    harness.source.asked.clear()

    assert harness.check().passed
    assert harness.source.asked == []


def test_check_of_an_accepted_flat_series_ends_when_it_goes_on() -> None:
    harness = disputing(factor=1.0)
    price = GOOD[30].adjusted
    flat = tuple(bar._replace(adjusted=price) if 30 < number < 36 else bar for number, bar in enumerate(GOOD))
    harness.store("SPY", flat)
    harness.check()
    assert codes(harness) == ["flat"]
    assert harness.card("SPY").contested[0].value == 6.0

    accept_everything(harness)
    assert harness.check().passed
    longer = tuple(bar._replace(adjusted=price) if 30 < number < 37 else bar for number, bar in enumerate(GOOD))
    harness.store("SPY", longer)
    assert list(harness.check().quarantined) == ["SPY"]


def test_check_with_malformed_acceptances_accepts_nothing_and_says_so() -> None:
    harness = disputing()
    harness.check()
    accept_everything(harness)
    harness.objects.plant(ACCEPTED_KEY, b'{"accepted": [{"symbol": "SPY"}]}')

    message = harness.check()

    assert list(message.quarantined) == ["SPY"]
    [problem] = message.problems
    assert problem.startswith(f"s3://lake/{ACCEPTED_KEY} cannot be parsed, so no finding counts as accepted: ")
