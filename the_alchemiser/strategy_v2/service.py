"""StrategyRequested in, one answer out: the strategy's weights on the closes of as_of, or why it has none."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from the_alchemiser.shared.book import Book, BookEntry
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, read_verdict
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import (
    MarketDataFetchRequested,
    Message,
    StrategyEvaluated,
    StrategyFailed,
    StrategyRequested,
    Symbol,
    message_id,
)
from the_alchemiser.shared.reasons import reason_code
from the_alchemiser.shared.symphony import required_symbols
from the_alchemiser.strategy_v2.prices import Prices, read_prices

MODULE = "strategy_v2"
RETRIES_EXHAUSTED = "retries_exhausted"
logger = Logger(child=True)


class UnfitVerdictError(AlchemiserError):
    """The lake was not checked through as_of: what is in it may not be decided on."""

    reason: ClassVar[str] = "verdict_unfit"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the engine made of the prices.

    Attributes:
        weights: sum to exactly 1.
        closes: of the weights' symbols on as_of, USD a share.
        path: the decision path, as JSON values.
        bars_digest: of the prices it was made on.
    """

    weights: Mapping[Symbol, Decimal]
    closes: Mapping[Symbol, Decimal]
    path: Any
    bars_digest: str


Judge = Callable[[BookEntry, Prices, date], Judgement]


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates strategies of the book on the lake.

    Attributes:
        judge: the engine; what it cannot decide is an AlchemiserError, its text meant for people. Errors may name
            a `symbol` that has too little history, and carry a short `reason`.
    """

    book: Callable[[], Book]
    objects: ObjectStore
    judge: Judge

    def handle(self, request: StrategyRequested) -> Reaction:
        """Evaluate; a failure that trying again cannot mend is the answer, not an exception.

        Bars that were found missing are asked for, for another day, whatever the answer.

        Raises:
            AlchemiserError: retryable ones only.
        """
        prices = Prices({}, {})
        try:
            entry = self.book().entry(request.strategy)
            prices = self._prices(entry, request.as_of)
            judgement = self.judge(entry, prices, request.as_of)
        except AlchemiserError as error:
            if error.retryable:
                raise
            return self._failed(request, error, prices)
        evaluated = self._evaluated(request, judgement, prices)
        return Reaction((evaluated, *_fetches(request, prices.absent)))

    def give_up(self, request: StrategyRequested, error: Exception) -> Reaction:
        """The answer when the last attempt failed too."""
        return Reaction((_failure(request, RETRIES_EXHAUSTED, f"{type(error).__name__}: {error}"),))

    def _prices(self, entry: BookEntry, as_of: date) -> Prices:
        verdict = self._verdict(as_of)
        return read_prices(Lake(self.objects), required_symbols(entry.symphony), verdict, as_of=as_of)

    def _verdict(self, as_of: date) -> Verdict:
        verdict = read_verdict(self.objects)
        if verdict is None:
            raise UnfitVerdictError("the lake has no quality verdict")
        if verdict.as_of < as_of:
            raise UnfitVerdictError(f"the quality verdict is of {verdict.as_of}, the decision needs that of {as_of}")
        return verdict

    def _evaluated(self, request: StrategyRequested, judgement: Judgement, prices: Prices) -> StrategyEvaluated:
        return StrategyEvaluated(
            message_id=message_id(request.run_id, StrategyEvaluated, subject=request.strategy),
            run_id=request.run_id,
            caused_by=request.message_id,
            occurred_at=request.occurred_at,
            strategy=request.strategy,
            allocation=request.allocation,
            weights=judgement.weights,
            closes=judgement.closes,
            as_of=request.as_of,
            bars_digest=judgement.bars_digest,
            path_ref=self._store_path(request, judgement, prices),
        )

    def _store_path(self, request: StrategyRequested, judgement: Judgement, prices: Prices) -> str:
        key = decision_key(request.run_id, request.strategy)
        decision = {
            "run_id": request.run_id,
            "strategy": request.strategy,
            "as_of": request.as_of.isoformat(),
            "bars_digest": judgement.bars_digest,
            "weights": {symbol: str(weight) for symbol, weight in judgement.weights.items()},
            "absent": dict(prices.absent),
            "path": judgement.path,
        }
        self.objects.overwrite(key, json.dumps(decision, indent=1).encode(), content_type="application/json")
        return self.objects.url(key)

    def _failed(self, request: StrategyRequested, error: AlchemiserError, prices: Prices) -> Reaction:
        symbol = str(getattr(error, "symbol", ""))
        wanted = prices.absent.keys() | ({symbol} if symbol else set())
        logger.warning("the strategy has no answer: %s", error, extra={"strategy": request.strategy})
        failure = _failure(request, reason_code(error), str(error))
        return Reaction((failure, *_fetches(request, wanted)))


def decision_key(run_id: str, strategy: str) -> str:
    """Where the decision path of a strategy lies."""
    return f"decisions/v1/{run_id}/{strategy}.json"


def _failure(request: StrategyRequested, reason: str, detail: str) -> StrategyFailed:
    return StrategyFailed(
        message_id=message_id(request.run_id, StrategyFailed, subject=request.strategy),
        run_id=request.run_id,
        caused_by=request.message_id,
        occurred_at=request.occurred_at,
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
            message_id=message_id(request.run_id, MarketDataFetchRequested, subject=request.strategy),
            run_id=request.run_id,
            caused_by=request.message_id,
            occurred_at=request.occurred_at,
            symbols=symbols,
            reason=f"{request.strategy} found them missing, unfit or short on {request.as_of}",
        ),
    )
