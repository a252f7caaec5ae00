"""One answer a request: evaluated on the lake through as_of, or failed with the reason; missing bars are asked for."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import ORIGIN, bars, sessions
from the_alchemiser.shared.book import Book, BookEntry
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Lake, parquet_key
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, Verdict, write_verdict
from the_alchemiser.shared.messaging.messages import (
    MarketDataFetchRequested,
    StrategyEvaluated,
    StrategyFailed,
    StrategyRequested,
)
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2.judge import judge
from the_alchemiser.strategy_v2.service import Evaluator, decision_key

DAYS = sessions(60)
AS_OF = DAYS[50]
RUN = f"local-{DAYS[51]}"
SYMPHONY = """
(defsymphony "Trend" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (> (current-price "SPY") (moving-average-price "SPY" {:window 20}))
    [(asset "QQQ" nil)]
    [(asset "TLT" nil)]))
"""
REQUEST = StrategyRequested(
    message_id=f"{RUN}/StrategyRequested/trend",
    run_id=RUN,
    occurred_at=datetime(2022, 3, 15, 19, 45, tzinfo=UTC),
    strategy="trend",
    allocation=Decimal("0.6"),
    trading_date=DAYS[51],
    as_of=AS_OF,
)


@dataclass
class House:
    """A service over a lake in memory, with the real engine and a book of one strategy."""

    folder: Path
    text: str = SYMPHONY
    objects: InMemoryObjects = field(default_factory=InMemoryObjects)

    def __post_init__(self) -> None:
        file = self.folder / "trend.clj"
        file.write_text(self.text)
        book = Book((BookEntry("trend", Decimal(1), date(2021, 1, 4), StrategyOptions(), file),))
        self.evaluator = Evaluator(book=lambda: book, objects=self.objects, judge=judge)

    def store(self, symbol: str, history: Bars) -> None:
        lake = Lake(self.objects)
        lake.replace(lake.read(symbol), history, origin=ORIGIN)

    def pass_verdict(self, *, as_of: date = AS_OF, **quarantined: str) -> None:
        verdict = Verdict(checked_at=REQUEST.occurred_at, as_of=as_of, quarantined=quarantined)
        write_verdict(self.objects, verdict, keep_newer=False)

    def evaluated(self) -> StrategyEvaluated:
        (message,) = self.evaluator.handle(REQUEST).messages
        assert isinstance(message, StrategyEvaluated)
        return message

    def failed(self) -> StrategyFailed:
        message = self.evaluator.handle(REQUEST).messages[0]
        assert isinstance(message, StrategyFailed)
        return message

    def asked_for(self) -> tuple[str, ...]:
        """Symbols of the request for bars that goes with the answer."""
        (message,) = (m for m in self.evaluator.handle(REQUEST).messages if isinstance(m, MarketDataFetchRequested))
        return message.symbols


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    for symbol in ("SPY", "QQQ", "TLT"):
        house.store(symbol, bars(60))
    house.pass_verdict()
    return house


def test_handle_answers_with_weights_and_closes_of_as_of(house: House) -> None:
    message = house.evaluated()

    assert message.weights == {"QQQ": Decimal(1)}
    assert message.closes == {"QQQ": Decimal("150.0")}
    assert (message.strategy, message.allocation, message.as_of) == ("trend", Decimal("0.6"), AS_OF)
    assert message.message_id == f"{RUN}/StrategyEvaluated/trend"
    assert message.caused_by == REQUEST.message_id


def test_handle_bars_after_as_of_change_nothing(house: House) -> None:
    before = house.evaluated()
    house.store("SPY", bars(51))

    assert house.evaluated() == before


def test_handle_twice_gives_the_same_answer(house: House) -> None:
    assert house.evaluated() == house.evaluated()


def test_handle_stores_the_decision_path_it_refers_to(house: House) -> None:
    message = house.evaluated()
    stored = house.objects.objects[decision_key(RUN, "trend")]
    decision = json.loads(stored.body)

    assert message.path_ref == f"s3://lake/decisions/v1/{RUN}/trend.json"
    assert {symbol: Decimal(weight) for symbol, weight in decision["weights"].items()} == message.weights
    assert decision["bars_digest"] == message.bars_digest
    assert decision["path"]["steps"][0]["branch"] == "then"


def test_handle_symbol_short_of_history_fails_and_asks_for_it(house: House) -> None:
    house.store("SPY", bars(60)[45:])
    failure = house.failed()

    assert failure.reason == "insufficient_history"
    assert "SPY" in failure.detail
    assert "20" in failure.detail
    assert house.asked_for() == ("SPY",)


def test_handle_quarantined_symbol_fails_with_the_monitors_reason(house: House) -> None:
    house.pass_verdict(SPY="gap: 2022-02-01")
    failure = house.failed()

    assert failure.reason == "insufficient_history"
    assert "quarantined: gap: 2022-02-01" in failure.detail
    assert house.asked_for() == ("SPY",)


def test_handle_damaged_symbol_is_never_decided_on(house: House) -> None:
    house.objects.plant(parquet_key("QQQ"), b"junk")

    assert "damaged" in house.failed().detail


def test_handle_absent_symbol_that_does_not_matter_is_only_asked_for(house: House) -> None:
    house.pass_verdict(TLT="stale: last bar 2022-02-01")
    evaluated, request = house.evaluator.handle(REQUEST).messages

    assert isinstance(evaluated, StrategyEvaluated)
    assert isinstance(request, MarketDataFetchRequested)
    assert request.symbols == ("TLT",)
    assert request.message_id == f"{RUN}/MarketDataFetchRequested/trend"


def test_handle_without_a_verdict_fails(house: House) -> None:
    del house.objects.objects[VERDICT_KEY]

    assert house.failed().reason == "verdict_unfit"


def test_handle_verdict_of_an_earlier_session_fails(house: House) -> None:
    house.pass_verdict(as_of=DAYS[49])
    failure = house.failed()

    assert failure.reason == "verdict_unfit"
    assert f"{DAYS[49]}" in failure.detail


def test_handle_malformed_verdict_fails(house: House) -> None:
    house.objects.plant(VERDICT_KEY, b"junk")

    assert house.failed().reason == "verdict_malformed"


def test_handle_unknown_strategy_fails_and_names_it(house: House) -> None:
    reaction = house.evaluator.handle(REQUEST.model_copy(update={"strategy": "gone"}))
    (failure,) = reaction.messages

    assert isinstance(failure, StrategyFailed)
    assert (failure.strategy, failure.reason) == ("gone", "book")
    assert "gone" in failure.detail


def test_handle_strategy_file_that_does_not_parse_fails_with_the_place(tmp_path: Path) -> None:
    house = House(tmp_path, text='(defsymphony "Broken" {:asset-class "EQUITIES"')
    house.pass_verdict()
    failure = house.failed()

    assert failure.reason == "symphony"
    assert "trend.clj:1:" in failure.detail


def test_handle_silent_store_raises_so_that_it_is_tried_again(house: House) -> None:
    house.objects.unreadable.add(parquet_key("QQQ"))
    with pytest.raises(StateUnavailableError):
        house.evaluator.handle(REQUEST)


def test_handle_path_that_cannot_be_stored_raises(house: House) -> None:
    house.objects.refuses.add(decision_key(RUN, "trend"))
    with pytest.raises(StateUnavailableError):
        house.evaluator.handle(REQUEST)


def test_give_up_fails_the_strategy_and_tells_the_last_error(house: House) -> None:
    (failure,) = house.evaluator.give_up(REQUEST, StateUnavailableError("s3://lake/x: slow")).messages

    assert isinstance(failure, StrategyFailed)
    assert (failure.reason, failure.detail) == ("retries_exhausted", "StateUnavailableError: s3://lake/x: slow")
    assert failure.message_id == f"{RUN}/StrategyFailed/trend"
