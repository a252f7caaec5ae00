"""Judging a symbol: what counts as a fault, a warning or nothing, and what earlier checks contribute."""

from datetime import date, timedelta

import pytest

from tests.the_alchemiser.data_quality_monitor.source_fake import second_bars
from tests.the_alchemiser.shared.market_data.samples import ORIGIN, bars, sessions
from the_alchemiser.data_quality_monitor.checks import Fault, History, Sessions
from the_alchemiser.data_quality_monitor.comparing import Comparison, Dispute, compare
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind
from the_alchemiser.data_quality_monitor.judging import ALL_CHECKS, Examined, Judgement, examine, judge
from the_alchemiser.data_quality_monitor.scorecards import PASSED, Incident, Scorecard, update_incidents
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Description, LakeEntry, StoredDescription
from the_alchemiser.shared.market_data.verdict import QuarantineEntry

DAYS = sessions(60)
GOOD = bars(30, start_price=1000.0)
AS_OF = DAYS[29]
NOTHING = Comparison((), ())


def halved(at: int, history: Bars = GOOD) -> Bars:
    return tuple(bar._replace(adjusted=bar.adjusted / 2) if number >= at else bar for number, bar in enumerate(history))


def examined(history: Bars, card: Scorecard | None = None, *, as_of: date = AS_OF) -> Examined:
    described = StoredDescription(Description.of(history, digest="d", origin=ORIGIN), "1")
    own = [bar for bar in history if bar.date <= as_of]
    return examine(LakeEntry("SPY", history, "d", "1"), described, History(own, Sessions(DAYS), as_of), card)


def codes(judgement: Judgement) -> list[str]:
    return [fault.code for fault in judgement.faults]


def test_good_bars_pass_every_check() -> None:
    judgement = judge(examined(GOOD), NOTHING, "30 sessions compared, all agree")
    card = judgement.card

    assert judgement.faults == ()
    assert dict(card.checks) == dict.fromkeys(ALL_CHECKS, PASSED)
    assert (card.bars, card.first_bar, card.last_bar, card.gaps) == (30, DAYS[0], AS_OF, 0)
    assert (card.compared_on, card.comparison) == (AS_OF, "30 sessions compared, all agree")
    assert (card.quarantined_since, card.incidents, card.disagreements) == (None, (), 0)
    assert list(judgement.entries()) == []


def test_card_counts_missing_sessions() -> None:
    judgement = judge(examined(GOOD[:5] + GOOD[8:]), None, "not asked")

    assert (judgement.card.gaps, judgement.card.bars) == (3, 27)
    assert judgement.card.checks["gap"] == f"{DAYS[5]}, {DAYS[6]}, {DAYS[7]}"
    assert judgement.card.quarantined_since == AS_OF


def test_entries_have_code_detail_and_dates() -> None:
    judgement = judge(examined(GOOD[:5] + GOOD[6:]), None, "not asked")

    assert list(judgement.entries()) == [
        QuarantineEntry(symbol="SPY", code="gap", detail=str(DAYS[5]), since=AS_OF, expires=AS_OF + timedelta(days=7))
    ]


@pytest.mark.parametrize(
    ("history", "needs"),
    [
        (GOOD, False),
        (halved(15), True),
        ((*halved(15)[:20], halved(15)[20]._replace(low=0.0), *halved(15)[21:]), False),
        ((*halved(15)[:20], *halved(15)[19:]), False),
        (halved(15)[:20] + halved(15)[21:], True),
    ],
)
def test_second_source_is_needed_for_doubts_of_bars_that_can_be_compared(history: Bars, *, needs: bool) -> None:
    assert examined(history).needs_second_source == needs


def with_volume(at: int) -> Bars:
    return (*GOOD[:at], GOOD[at]._replace(volume=1e9), *GOOD[at + 1 :])


@pytest.mark.parametrize(("at", "needs"), [(24, False), (25, True), (29, True)])
def test_second_source_is_needed_for_volumes_of_the_last_week(at: int, *, needs: bool) -> None:
    assert examined(with_volume(at)).needs_second_source == needs


def test_volume_is_a_warning() -> None:
    judgement = judge(examined(with_volume(25)), NOTHING, "compared")

    assert judgement.faults == ()
    (incident,) = judgement.card.incidents
    assert (incident.code, incident.quarantines) == ("volume", False)
    assert incident.detail == f"{DAYS[25]} 1e+03 times the usual"
    assert list(judgement.entries()) == []


def test_unconfirmed_move_says_why() -> None:
    judgement = judge(examined(halved(15)), None, "it does not answer")

    assert judgement.faults == (Fault("unconfirmed", f"{DAYS[15]} -49.95 %: it does not answer"),)


def test_move_that_the_second_source_lacks_is_unconfirmed() -> None:
    judgement = judge(examined(halved(15)), NOTHING, "compared")

    detail = f"{DAYS[15]} -49.95 %: the second source does not have these sessions"
    assert judgement.faults == (Fault("unconfirmed", detail),)


def test_many_unconfirmed_moves_are_counted() -> None:
    history = halved(25, halved(20, halved(15, halved(10))))

    (fault,) = judge(examined(history), None, "why").faults
    assert fault.detail == (f"{DAYS[10]} -49.95 %, {DAYS[15]} -49.95 %, {DAYS[20]} -49.95 % and 1 more: why")


def confirmed_card(history: Bars) -> Scorecard:
    symbol = examined(history)
    return judge(symbol, compare(history, second_bars(history), symbol.doubts), "compared").card


def test_confirmed_move_is_remembered() -> None:
    again = examined(halved(15), confirmed_card(halved(15)))

    assert not again.needs_second_source
    assert judge(again, None, "not asked").faults == ()
    assert judge(again, None, "not asked").card.confirmed == confirmed_card(halved(15)).confirmed


def test_confirmed_move_is_forgotten_when_it_changes() -> None:
    other = tuple(bar._replace(adjusted=bar.adjusted * 0.98) if bar.date >= DAYS[15] else bar for bar in halved(15))

    assert codes(judge(examined(other, confirmed_card(halved(15))), None, "down")) == ["unconfirmed"]


def test_confirmed_move_that_is_contradicted_now_is_a_fault() -> None:
    again = examined(halved(15), confirmed_card(halved(15)))
    judgement = judge(again, compare(halved(15), second_bars(GOOD), again.doubts), "compared")

    assert codes(judgement) == ["unadjusted"]
    assert judgement.card.confirmed == ()


def disputed_card(history: Bars, second: Bars = GOOD) -> Scorecard:
    symbol = examined(history)
    return judge(symbol, compare(history, second_bars(second), symbol.doubts), "compared").card


def test_dispute_is_remembered_while_the_move_stays() -> None:
    again = examined(halved(15), disputed_card(halved(15)))

    assert again.needs_second_source
    judgement = judge(again, None, "down")
    assert codes(judgement) == ["unadjusted"]
    assert judgement.card.disagreements == 1
    assert judgement.card.compared_on == AS_OF


def test_dispute_ends_when_the_bars_change() -> None:
    again = examined(GOOD, disputed_card(halved(15)))

    assert (again.needs_second_source, judge(again, None, "not asked").faults) == (False, ())


def test_dispute_about_small_differences_is_remembered_too() -> None:
    shifted = tuple(bar._replace(adjusted=bar.adjusted * 1.01) if bar.date < DAYS[15] else bar for bar in GOOD)

    assert codes(judge(examined(shifted, disputed_card(shifted)), None, "down")) == ["unadjusted"]
    assert judge(examined(GOOD, disputed_card(shifted)), None, "down").faults == ()


def test_disputed_flat_series_ends_when_the_price_moves() -> None:
    flat = tuple(bar._replace(adjusted=GOOD[10].adjusted) if 10 < n < 16 else bar for n, bar in enumerate(GOOD))
    card = disputed_card(flat)

    assert codes(judge(examined(flat, card), None, "down")) == ["flat"]
    assert judge(examined(GOOD, card), None, "down").faults == ()


def test_flat_series_that_nobody_confirms_is_a_fault() -> None:
    flat = tuple(bar._replace(adjusted=GOOD[10].adjusted) if 10 < n < 16 else bar for n, bar in enumerate(GOOD))

    assert judge(examined(flat), None, "down").faults == (
        Fault("flat", f"the same price from {DAYS[10]} for 6 sessions: down"),
    )


def test_several_disputes_of_one_kind_are_one_fault() -> None:
    disputes = tuple(Dispute("disagreement", DAYS[number], 0.0, f"{DAYS[number]}: differs") for number in (9, 5, 7))
    judgement = judge(examined(GOOD), Comparison((), disputes), "compared")

    assert judgement.faults == (Fault("disagreement", f"{DAYS[5]}: differs and on 2 more days"),)
    assert judgement.card.disagreements == 3


def test_missing_file_has_a_card_without_bars() -> None:
    symbol = examine(
        LakeEntry("SPY", fault="missing: no bars/v1/SPY.parquet"),
        StoredDescription(None, None),
        History((), Sessions(DAYS), AS_OF),
        None,
    )
    card = judge(symbol, None, "not asked").card

    assert not symbol.is_comparable
    assert (card.bars, card.first_bar, card.last_bar) == (0, None, None)
    assert card.checks["missing"] == "no bars/v1/SPY.parquet"


def incident(code: str, since: int, until: int | None = None) -> Incident:
    return Incident(code=code, detail="old", since=DAYS[since], until=None if until is None else DAYS[until])


def test_incidents_begin_go_on_and_end() -> None:
    earlier = (incident("gap", 1, 2), incident("stale", 3), incident("gap", 4))

    incidents = update_incidents(earlier, [Fault("gap", "new"), Fault("flat", "x")], [], as_of=DAYS[5])

    assert [(each.code, each.detail, each.since, each.until) for each in incidents] == [
        ("gap", "old", DAYS[1], DAYS[2]),
        ("stale", "old", DAYS[3], DAYS[5]),
        ("gap", "new", DAYS[4], None),
        ("flat", "x", DAYS[5], None),
    ]


def test_incidents_of_the_same_check_stay_the_same() -> None:
    first = update_incidents((), [Fault("gap", "x")], [Fault("volume", "y")], as_of=DAYS[5])

    assert update_incidents(first, [Fault("gap", "x")], [Fault("volume", "y")], as_of=DAYS[5]) == first
    assert [each.quarantines for each in first] == [True, False]


def test_incidents_are_kept_up_to_a_hundred() -> None:
    earlier = tuple(incident("gap", number % 50, 59) for number in range(100))

    incidents = update_incidents(earlier, [Fault("stale", "x")], [], as_of=DAYS[59])

    assert len(incidents) == 100
    assert (incidents[0], incidents[-1].code) == (earlier[1], "stale")


def test_doubt_kinds_are_stored_by_name() -> None:
    card = confirmed_card(halved(15))

    assert card.confirmed_doubts == (Doubt(DoubtKind.MOVE, DAYS[15], pytest.approx(-0.4995, abs=1e-4)),)  # type: ignore[arg-type] # approx equals a float
    assert Scorecard.read_json(card.to_json()) == card
