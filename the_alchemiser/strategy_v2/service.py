"""Answer each StrategyRequested with the strategy's weights on the closes of as_of, or with the reason for failure."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from the_alchemiser.shared.book import Book, BookEntry
from the_alchemiser.shared.errors import RETRIES_EXHAUSTED, AlchemiserError
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, read_verdict
from the_alchemiser.shared.messaging.messages import (
    Envelope,
    MarketDataFetchRequested,
    Message,
    StrategyEvaluated,
    StrategyFailed,
    StrategyRequested,
    envelope,
)
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony import required_symbols
from the_alchemiser.shared.values import Symbol
from the_alchemiser.strategy_v2.prices import Prices, read_prices

MODULE = "strategy_v2"
logger = logging.getLogger(__name__)


class UnfitVerdictError(AlchemiserError):
    """The lake was not checked through as_of, so its bars may not be used for decisions."""

    reason: ClassVar[str] = "verdict_unfit"


class StrategyDecision(Frozen):
    """The engine's decision for one strategy.

    Attributes:
        weights: fractions of the strategy's allocation.
        cash: the rest: with the weights it sums to exactly 1.
        closes: adjusted closes of the held symbols on as_of, USD per share.
        path: the decision path, as JSON values.
        bars_digest: digest of the bars that the decision used.
    """

    weights: Mapping[Symbol, Decimal]
    cash: Decimal
    closes: Mapping[Symbol, Decimal]
    path: Any
    bars_digest: str


DecideStrategy = Callable[[BookEntry, Prices, date, date], StrategyDecision]
"""Decides a strategy on prices, given as_of and the trading date, which is the session after it."""


class Evaluator(Frozen):
    """Evaluates strategies of the book on the bars of the lake.

    Attributes:
        decide: the engine. It raises an AlchemiserError, with a message for people, if the day cannot be decided; the
            error has a `symbol` if that symbol's history is too short.
    """

    book: Callable[[], Book]
    objects: ObjectStore
    decide: DecideStrategy

    def handle(self, request: StrategyRequested) -> Reaction:
        """Evaluate one strategy. A failure that a retry cannot fix becomes the answer instead of an exception.

        Whatever the answer, the reaction also requests the bars that are missing, for a later day.

        Raises:
            AlchemiserError: a retryable failure.
        """
        prices = Prices({}, {})
        try:
            entry = self.book().entry(request.strategy)
            prices = self._prices(entry, request.as_of)
            decision = self.decide(entry, prices, request.as_of, request.trading_date)
        except AlchemiserError as error:
            if error.retryable:
                raise
            return self._failed(request, error, prices)

        evaluated = self._evaluated(request, decision, prices)
        return Reaction((evaluated, *_fetches(request, prices.unusable)))

    def give_up(self, request: StrategyRequested, error: Exception) -> Reaction:
        """Return the answer when the last attempt failed too."""
        return Reaction((_failure(request, RETRIES_EXHAUSTED, f"{type(error).__name__}: {error}"),))

    def _prices(self, entry: BookEntry, as_of: date) -> Prices:
        verdict = self._verdict(as_of)
        return read_prices(Lake(self.objects), required_symbols(entry.symphony), verdict, as_of=as_of)

    def _verdict(self, as_of: date) -> Verdict:
        verdict = read_verdict(self.objects)
        if verdict is None:
            raise UnfitVerdictError("the lake has no quality verdict")
        if verdict.as_of < as_of:
            raise UnfitVerdictError(f"the quality verdict is of {verdict.as_of}, but the decision needs one of {as_of}")
        return verdict

    def _evaluated(self, request: StrategyRequested, decision: StrategyDecision, prices: Prices) -> StrategyEvaluated:
        return StrategyEvaluated(
            **_envelope(StrategyEvaluated, request),
            strategy=request.strategy,
            allocation=request.allocation,
            weights=decision.weights,
            closes=decision.closes,
            as_of=request.as_of,
            bars_digest=decision.bars_digest,
            path_ref=self._store_path(request, decision, prices),
            cash=decision.cash,
        )

    def _store_path(self, request: StrategyRequested, decision: StrategyDecision, prices: Prices) -> str:
        key = decision_key(request.run_id, request.strategy)
        document = {
            "run_id": request.run_id,
            "strategy": request.strategy,
            "as_of": request.as_of.isoformat(),
            "bars_digest": decision.bars_digest,
            "weights": {symbol: str(weight) for symbol, weight in decision.weights.items()},
            "cash": str(decision.cash),
            "absent": dict(prices.unusable),
            "path": decision.path,
        }
        self.objects.overwrite(key, json.dumps(document, indent=1).encode(), content_type="application/json")
        return self.objects.url(key)

    def _failed(self, request: StrategyRequested, error: AlchemiserError, prices: Prices) -> Reaction:
        symbol = str(getattr(error, "symbol", ""))
        wanted = prices.unusable.keys() | ({symbol} if symbol else set())
        logger.warning("the strategy cannot be decided: %s", error, extra={"strategy": request.strategy})
        failure = _failure(request, error.reason, str(error))
        return Reaction((failure, *_fetches(request, wanted)))


def decision_key(run_id: str, strategy: str) -> str:
    """Return the object key of a strategy's decision path."""
    return f"decisions/v1/{run_id}/{strategy}.json"


def _envelope(kind: type[Message], request: StrategyRequested) -> Envelope:
    return envelope(
        kind, request.run_id, request.strategy, occurred_at=request.occurred_at, caused_by=request.message_id
    )


def _failure(request: StrategyRequested, reason: str, detail: str) -> StrategyFailed:
    return StrategyFailed(
        **_envelope(StrategyFailed, request),
        strategy=request.strategy,
        reason=reason,
        detail=detail,
    )


def _fetches(request: StrategyRequested, wanted: Iterable[str]) -> tuple[Message, ...]:
    symbols = tuple(sorted(wanted))
    if not symbols:
        return ()
    return (
        MarketDataFetchRequested(
            **_envelope(MarketDataFetchRequested, request),
            symbols=symbols,
            reason=f"{request.strategy} found them missing, unfit or short on {request.as_of}",
        ),
    )
