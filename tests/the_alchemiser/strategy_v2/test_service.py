"""One answer per request: weights on the bars through as_of, or the reason for failure; missing bars are requested."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
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
from the_alchemiser.shared.symphony.options import Decide, StrategyOptions
from the_alchemiser.strategy_v2.service import Evaluator, decision_key
from the_alchemiser.strategy_v2.strategy_decision import decide_strategy

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
class Harness:
    """The service over a lake in memory, with the real engine and a book of one strategy."""

    folder: Path
    text: str = SYMPHONY
    options: StrategyOptions = field(default_factory=StrategyOptions)
    objects: InMemoryObjects = field(default_factory=InMemoryObjects)

    def __post_init__(self) -> None:
        file = self.folder / "trend.clj"
        file.write_text(self.text)
        book = Book((BookEntry("trend", Decimal(1), date(2021, 1, 4), self.options, file),))
        self.evaluator = Evaluator(book=lambda: book, objects=self.objects, decide=decide_strategy)

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

    def requested_symbols(self) -> tuple[str, ...]:
        """Return the symbols of the request for bars that goes with the answer."""
        messages = self.evaluator.handle(REQUEST).messages
        (fetch,) = (message for message in messages if isinstance(message, MarketDataFetchRequested))
        return fetch.symbols


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    harness = Harness(tmp_path)
    for symbol in ("SPY", "QQQ", "TLT"):
        harness.store(symbol, bars(60))
    harness.pass_verdict()
    return harness


def test_handle_answers_with_weights_and_closes_of_as_of(harness: Harness) -> None:
    message = harness.evaluated()

    assert message.weights == {"QQQ": Decimal(1)}
    assert message.closes == {"QQQ": Decimal("150.0")}
    assert (message.strategy, message.allocation, message.as_of) == ("trend", Decimal("0.6"), AS_OF)
    assert message.message_id == f"{RUN}/StrategyEvaluated/trend"
    assert message.caused_by == REQUEST.message_id


def test_handle_before_period_looks_at_the_trading_date(tmp_path: Path) -> None:
    weekly = SYMPHONY.replace(":daily", ":weekly")
    harness = Harness(tmp_path, weekly, StrategyOptions(decide=Decide.BEFORE_PERIOD))
    for symbol in ("SPY", "QQQ", "TLT"):
        harness.store(symbol, bars(60))
    harness.pass_verdict()

    days = []
    for trading_date in (AS_OF + timedelta(days=1), AS_OF + timedelta(days=7)):
        harness.evaluator.handle(REQUEST.changed(trading_date=trading_date))
        stored = json.loads(harness.objects.objects[decision_key(RUN, "trend")].body)
        days.append(stored["path"]["decided_on"] == AS_OF.isoformat())

    assert days == [False, True]


def test_handle_of_cash_answers_with_the_rest(tmp_path: Path) -> None:
    harness = Harness(tmp_path, SYMPHONY[: SYMPHONY.index("}") + 1] + '(weight-equal [(asset "SPY" nil) (empty)]))')
    harness.store("SPY", bars(60))
    harness.pass_verdict()

    message = harness.evaluated()

    assert (message.weights, message.cash) == ({"SPY": Decimal("0.5")}, Decimal("0.5"))
    assert json.loads(harness.objects.objects[decision_key(RUN, "trend")].body)["cash"] == "0.500000000"


def test_handle_of_nothing_but_cash_reads_no_bars(tmp_path: Path) -> None:
    harness = Harness(tmp_path, SYMPHONY[: SYMPHONY.index("}") + 1] + "(empty))")
    harness.pass_verdict()

    message = harness.evaluated()

    assert (message.weights, message.closes, message.cash) == ({}, {}, Decimal(1))


def test_handle_bars_after_as_of_change_nothing(harness: Harness) -> None:
    before = harness.evaluated()
    harness.store("SPY", bars(51))

    assert harness.evaluated() == before


def test_handle_is_idempotent(harness: Harness) -> None:
    assert harness.evaluated() == harness.evaluated()


def test_handle_stores_the_decision_path_it_refers_to(harness: Harness) -> None:
    message = harness.evaluated()
    stored = harness.objects.objects[decision_key(RUN, "trend")]
    decision = json.loads(stored.body)

    assert message.path_ref == f"s3://lake/decisions/v1/{RUN}/trend.json"
    assert {symbol: Decimal(weight) for symbol, weight in decision["weights"].items()} == message.weights
    assert decision["bars_digest"] == message.bars_digest
    assert decision["path"]["steps"][0]["branch"] == "then"


def test_handle_symbol_short_of_history_fails_and_requests_it(harness: Harness) -> None:
    harness.store("SPY", bars(60)[45:])
    failure = harness.failed()

    assert failure.reason == "insufficient_history"
    assert "SPY" in failure.detail
    assert "20" in failure.detail
    assert harness.requested_symbols() == ("SPY",)


def test_handle_quarantined_symbol_fails_with_its_reason(harness: Harness) -> None:
    harness.pass_verdict(SPY="gap: 2022-02-01")
    failure = harness.failed()

    assert failure.reason == "insufficient_history"
    assert "quarantined: gap: 2022-02-01" in failure.detail
    assert harness.requested_symbols() == ("SPY",)


def test_handle_damaged_symbol_fails(harness: Harness) -> None:
    harness.objects.plant(parquet_key("QQQ"), b"junk")

    assert "damaged" in harness.failed().detail


def test_handle_unneeded_unusable_symbol_is_only_requested(harness: Harness) -> None:
    harness.pass_verdict(TLT="stale: last bar 2022-02-01")
    evaluated, request = harness.evaluator.handle(REQUEST).messages

    assert isinstance(evaluated, StrategyEvaluated)
    assert isinstance(request, MarketDataFetchRequested)
    assert request.symbols == ("TLT",)
    assert request.message_id == f"{RUN}/MarketDataFetchRequested/trend"


def test_handle_without_a_verdict_fails(harness: Harness) -> None:
    del harness.objects.objects[VERDICT_KEY]

    assert harness.failed().reason == "verdict_unfit"


def test_handle_verdict_of_an_earlier_session_fails(harness: Harness) -> None:
    harness.pass_verdict(as_of=DAYS[49])
    failure = harness.failed()

    assert failure.reason == "verdict_unfit"
    assert f"{DAYS[49]}" in failure.detail


def test_handle_malformed_verdict_fails(harness: Harness) -> None:
    harness.objects.plant(VERDICT_KEY, b"junk")

    assert harness.failed().reason == "verdict_malformed"


def test_handle_unknown_strategy_fails_and_names_it(harness: Harness) -> None:
    reaction = harness.evaluator.handle(REQUEST.changed(strategy="unknown"))
    (failure,) = reaction.messages

    assert isinstance(failure, StrategyFailed)
    assert (failure.strategy, failure.reason) == ("unknown", "book")
    assert "unknown" in failure.detail


def test_handle_file_that_does_not_parse_fails_with_the_place(tmp_path: Path) -> None:
    harness = Harness(tmp_path, text='(defsymphony "Broken" {:asset-class "EQUITIES"')
    harness.pass_verdict()
    failure = harness.failed()

    assert failure.reason == "symphony"
    assert "trend.clj:1:" in failure.detail


def test_handle_silent_store_raises_so_that_the_message_retries(harness: Harness) -> None:
    harness.objects.unreadable.add(parquet_key("QQQ"))
    with pytest.raises(StateUnavailableError):
        harness.evaluator.handle(REQUEST)


def test_handle_path_that_cannot_be_stored_raises(harness: Harness) -> None:
    harness.objects.refuses.add(decision_key(RUN, "trend"))
    with pytest.raises(StateUnavailableError):
        harness.evaluator.handle(REQUEST)


def test_give_up_fails_the_strategy_with_the_last_error(harness: Harness) -> None:
    (failure,) = harness.evaluator.give_up(REQUEST, StateUnavailableError("s3://lake/x: slow")).messages

    assert isinstance(failure, StrategyFailed)
    assert (failure.reason, failure.detail) == ("retries_exhausted", "StateUnavailableError: s3://lake/x: slow")
    assert failure.message_id == f"{RUN}/StrategyFailed/trend"
