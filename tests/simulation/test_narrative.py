"""A history reads as a list of events in their order."""

from datetime import timedelta
from decimal import Decimal

from tests.simulation.end_state import Kill
from tests.simulation.healthy import BUY, DAY, ENDED, RUN, SELL, SOLD, attempt, check, history, line
from tests.simulation.narrative import describe, narrate
from tests.simulation.scenario import (
    AccountPlan,
    Act,
    ActKind,
    Condition,
    ConditionKind,
    DayKind,
    OddPosition,
    Scenario,
    Split,
)
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.messaging.messages import Difference


def test_healthy_history_is_told_in_order() -> None:
    assert list(narrate(history())) == [
        "seed 1: normal day, 2022-06-15",
        "account: $100,000 in cash",
        "15 15:44:56.000  books     2022-06-14 is OPENED",
        f"15 15:45:00.000  run       {RUN} is EVALUATING",
        f"15 15:46:00.000  exchange  200 for sell AAA {SELL}-1",
        f"15 15:46:00.000  exchange  fills 10 of {SELL}-1 at 100",
        f"15 15:47:00.000  exchange  200 for buy BBB {BUY}-1",
        f"15 15:47:00.000  exchange  fills 5 of {BUY}-1 at 100",
        f"15 15:48:00.000  run       {RUN} is COMPLETED",
        f"15 15:48:00.000  mail      a subject ({RUN}/RunCompleted/run)",
        f"15 15:55:00.000  run       {RUN} is settled",
        "15 16:05:01.000  books     2022-06-15 is AGREED",
    ]


def test_differing_books_are_told_with_their_causes() -> None:
    rows = (
        Difference(symbol="CCC", broker=Decimal(3), books=Decimal(0), cause="ordered by hand: BUY 3"),
        Difference(symbol="DDD", broker=Decimal(1), books=Decimal(0)),
    )
    differing = check(CheckState.DIFFERS, differences=rows)

    [told] = [text for text in narrate(history(checks=(differing,))) if "books" in text]
    assert told == (
        "15 15:55:01.000  books     2022-06-15 is DIFFERS; CCC: the broker shows 3 shares, the books say 0; "
        "ordered by hand: BUY 3; DDD: the broker shows 1 share, the books say 0; no cause"
    )


def test_calls_are_told_when_they_went_wrong_or_when_all_are_wanted() -> None:
    failed = line("broker.GET /v2/clock", SOLD, result="BrokerUnavailableError", fault="call fails")
    end = history(trace=(failed, line("ssm.get_parameter", SOLD)), attempts=(attempt("x", at=ENDED, result="failed"),))
    short, whole = "\n".join(narrate(end)), "\n".join(narrate(end, is_whole=True))

    assert "trade.1: broker.GET /v2/clock -> BrokerUnavailableError [call fails]" in short
    assert "x.1: failed" in short
    assert "ssm.get_parameter" not in short
    assert "trade.1: ssm.get_parameter -> ok" in whole


def test_cancelled_order_is_told() -> None:
    orders = (history().orders[0],)
    end = history(orders=orders, fills=())
    assert "cancels" not in "\n".join(narrate(end))


def test_kills_are_part_of_the_trace() -> None:
    killed = line("dynamodb.put_item Ledger", SOLD, result="killed", fault="function is killed after a call")
    end = history(trace=(killed,), kills=(Kill(SOLD, "execution_v2", "trade.1", "dynamodb.put_item Ledger"),))
    assert sum("killed" in text for text in narrate(end)) == 1


def test_every_part_of_a_scenario_is_described() -> None:
    scenario = Scenario(
        seed=3,
        kind=DayKind.SPLIT,
        dates=(DAY, DAY + timedelta(days=1)),
        account=AccountPlan(
            is_margin=True,
            opened_by_strategies={"AAA": Decimal(3)},
            opened_by_owner={"BBB": Decimal(4)},
            odd=(OddPosition("628ESC012", Decimal(1), None),),
        ),
        conditions=(Condition(ConditionKind.WIDE, "AAA", SOLD, ENDED, Decimal("0.4")),),
        acts=(Act(ActKind.OWNER_SELL, SOLD, "AAA", Decimal(2)),),
        splits=(Split("AAA", DAY, 1, 10),),
        skews={"execution_v2": -2.0},
        late_data=True,
        real_data=True,
        settings={"DAY_TRADE_LIMIT": "7"},
        requests_per_minute=30,
    )
    assert list(describe(scenario)) == [
        "seed 3: ex-date of a split, 2022-06-15, 2022-06-16",
        "account: $100,000 in margin",
        "  3 AAA, bought by strategies",
        "  4 BBB, the owner's",
        "  1 628ESC012 at None (us_equity)",
        "split: 10 AAA for 1, ex-date 2022-06-15",
        "market: AAA, wide spread (0.4) from 15 15:46:00.000 to 15 15:48:00.000",
        "setting: DAY_TRADE_LIMIT = 7",
        "clocks: execution_v2 -2.0 s",
        "the broker allows 30 requests a minute",
        "the nightly data is late",
        "the lake is written by data_v2",
    ]
    assert "people" in "\n".join(narrate(history(scenario=scenario)))
