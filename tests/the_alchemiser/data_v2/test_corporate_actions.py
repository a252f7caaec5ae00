"""Corporate actions are fetched for every symbol that was ever refreshed, and stored even when announced only."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_market import InMemoryMarket
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import sessions
from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.market_data.calendar import BusinessTime
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_KEY, read_actions, read_actions_entry
from the_alchemiser.shared.messaging.wiring import logger

DAYS = sessions(60)
AS_OF = date(2022, 3, 15)
EVENING = BusinessTime(datetime(2022, 3, 16, 0, 30, tzinfo=UTC), AS_OF)  # 20:30 in New York, still the 15th
TOMORROW = AS_OF + timedelta(days=1)


def split(symbol: str, ex_date: date, old: str = "10", new: str = "1") -> CorporateAction:
    return CorporateAction(symbol, ex_date, CorporateActionKind.SPLIT, Decimal(old), Decimal(new))


def market(*actions: CorporateAction) -> InMemoryMarket:
    return InMemoryMarket({}, AS_OF, actions=actions)


@pytest.fixture
def objects() -> InMemoryObjects:
    return InMemoryObjects()


def refresh(
    broker: InMemoryMarket, objects: InMemoryObjects, *symbols: str, time: BusinessTime = EVENING
) -> CorporateActions:
    return ActionsRefresher(broker, objects).refresh(symbols, time)


def test_refresh_stores_and_returns_announced_splits(objects: InMemoryObjects) -> None:
    broker = market(split("SPY", AS_OF + timedelta(days=10)), split("SPY", AS_OF + timedelta(days=11)))

    actions = refresh(broker, objects, "SPY")

    assert actions == read_actions(objects) == CorporateActions((split("SPY", AS_OF + timedelta(days=10)),))
    assert broker.action_requests == [(("SPY",), date(2021, 3, 15), date(2022, 3, 25))]
    assert read_actions_entry(objects).fetched_at == EVENING.now


def test_refresh_covers_the_symbols_of_earlier_fetches(objects: InMemoryObjects) -> None:
    broker = market(split("OLD", TOMORROW))
    refresh(broker, objects, "OLD", "SPY")

    refresh(broker, objects, "TLT", "SPY")

    assert broker.action_requests[-1][0] == ("OLD", "SPY", "TLT")
    assert read_actions(objects).splits("OLD") == (split("OLD", TOMORROW),)


def test_refresh_forgets_a_split_that_was_called_off(objects: InMemoryObjects) -> None:
    refresh(market(split("SPY", TOMORROW)), objects, "SPY")

    assert refresh(market(), objects, "SPY") == CorporateActions()


def test_refresh_of_many_symbols_asks_for_a_hundred_at_a_time(objects: InMemoryObjects) -> None:
    symbols = [f"S{number:03}" for number in range(201)]
    broker = market(split("S200", TOMORROW), split("S000", TOMORROW))

    actions = refresh(broker, objects, *symbols)

    assert [len(requested) for requested, _, _ in broker.action_requests] == [100, 100, 1]
    assert {action.symbol for action in actions.actions} == {"S000", "S200"}


def test_refresh_without_an_answer_keeps_what_is_stored(
    objects: InMemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = market(split("SPY", TOMORROW))
    refresh(broker, objects, "SPY")
    stored = objects.objects[ACTIONS_KEY]
    broker.hides_actions = True
    warnings: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(logger, "warning", lambda text, extra: warnings.append((text, extra)))

    actions = refresh(broker, objects, "SPY")

    assert actions == CorporateActions((split("SPY", TOMORROW),))
    assert objects.objects[ACTIONS_KEY] is stored
    assert warnings == [
        (
            "corporate actions not refreshed",
            {"reason": "broker_timeout", "detail": "GET /v1/corporate-actions: no answer in time"},
        )
    ]


def test_refresh_over_a_malformed_object_keeps_it(objects: InMemoryObjects) -> None:
    objects.plant(ACTIONS_KEY, b"junk")
    broker = market(split("SPY", TOMORROW))

    assert refresh(broker, objects, "SPY") == CorporateActions()
    assert objects.objects[ACTIONS_KEY].body == b"junk"
    assert broker.action_requests == []


@pytest.mark.parametrize(
    ("ex_date", "cash"),
    [
        (AS_OF + timedelta(days=9), "33"),  # announced: the last close so far
        (TOMORROW, "33"),
        (AS_OF, "32"),
        (date(2022, 3, 14), "31"),
        (date(2022, 1, 4), "0"),  # nothing traded in the two weeks before
    ],
)
def test_refresh_prices_the_fraction_of_a_whole_share(objects: InMemoryObjects, ex_date: date, cash: str) -> None:
    broker = market(split("SPY", ex_date), split("TLT", ex_date))
    broker.whole_shares_only = frozenset({"SPY"})
    closes = {date(2022, 3, 11): "3.1", date(2022, 3, 14): "3.2", AS_OF: "3.3"}
    broker.raw_closes = {"SPY": closes, "TLT": closes}

    actions = refresh(broker, objects, "SPY", "TLT")

    (spy,), (tlt,) = actions.splits("SPY"), actions.splits("TLT")
    assert (spy.cash, tlt.cash) == (Decimal(cash), Decimal(0))


def test_refresh_leaves_the_cash_of_a_dividend(objects: InMemoryObjects) -> None:
    dividend = CorporateAction("SPY", TOMORROW, CorporateActionKind.DIVIDEND, cash=Decimal("0.43"))
    broker = market(dividend, split("SPY", TOMORROW))
    broker.whole_shares_only = frozenset({"SPY"})
    broker.raw_closes = {"SPY": {AS_OF: "3.3"}}

    actions = refresh(broker, objects, "SPY")

    assert dividend in actions.actions
    assert [action.cash for action in actions.splits("SPY")] == [33]


def test_refresh_of_a_split_of_an_unknown_asset_keeps_it(objects: InMemoryObjects) -> None:
    broker = market(split("GONE", TOMORROW))
    broker.unknown = {"GONE"}

    assert refresh(broker, objects, "GONE").actions == (split("GONE", TOMORROW),)


def test_refresh_the_morning_after_counts_days_in_new_york(objects: InMemoryObjects) -> None:
    broker = market()

    refresh(broker, objects, "SPY", time=BusinessTime(datetime(2022, 3, 16, 12, tzinfo=UTC), AS_OF))

    assert broker.action_requests == [(("SPY",), date(2021, 3, 16), date(2022, 3, 26))]
