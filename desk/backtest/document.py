"""Convert the result of a backtest to JSON. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import msgspec

from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Curve, Result
from desk.backtest.signals import Candidate
from desk.backtest.simulate import BacktestDay, RefusedTrade, Trade
from desk.backtest.statistics import DEFINITIONS

MAX_DRAWDOWNS = 5


def json_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON with two spaces per level and sorted keys."""
    # The json module would indent in Python, which takes three times as long for a hundred thousand trades.
    compact = json.dumps(document, sort_keys=True, default=str)
    return msgspec.json.format(compact, indent=2)


def json_document(result: Result) -> Mapping[str, Any]:
    """Return the whole result: money, shares and weights as exact text, statistics as numbers, null if not defined."""
    benchmark = result.benchmark
    return {
        "strategies": [_strategy(candidate) for candidate in result.candidates],
        "prices": result.prices,
        "start": result.days[0].date.isoformat(),
        "end": result.days[-1].date.isoformat(),
        "sessions": len(result.days),
        "capital": str(result.capital),
        "costs_bps": str(result.costs_bps),
        "statistics": {
            "strategy": asdict(result.curve.statistics),
            BENCHMARK: None if benchmark is None else asdict(benchmark.statistics),
        },
        "definitions": {**DEFINITIONS, "turnover": TURNOVER_DEFINITION},
        "benchmark_note": result.benchmark_note,
        "turnover": result.turnover,
        "costs": str(result.costs),
        "equity": _equity(result),
        "drawdowns": [drawdown._asdict() for drawdown in result.curve.deepest(MAX_DRAWDOWNS)],
        "monthly": {
            "strategy": _monthly(result.curve),
            BENCHMARK: None if benchmark is None else _monthly(benchmark),
        },
        "decisions": [_decision(day) for day in result.days],
        "trade_count": len(result.trades),
        "trades": [_trade(trade) for trade in result.trades],
        "refused": [_refused(trade) for trade in result.refused],
    }


def _strategy(candidate: Candidate) -> Mapping[str, Any]:
    return {
        "name": candidate.name,
        "allocation": str(candidate.allocation),
        "source": candidate.program.source,
        "inception": None if candidate.inception is None else candidate.inception.isoformat(),
    }


def _monthly(curve: Curve) -> list[Mapping[str, Any]]:
    return [year._asdict() for year in curve.years()]


def _equity(result: Result) -> list[Mapping[str, Any]]:
    """Return one row per close, starting with the close before the first session; `return` is since the row before."""
    curve, benchmark = result.curve, result.benchmark
    equity = (result.capital, *(day.equity for day in result.days))
    cash = (result.capital, *(day.cash for day in result.days))
    returns = (None, *curve.returns.tolist())
    drawdowns = curve.drawdowns.tolist()
    benchmark_values = [None] * len(equity) if benchmark is None else benchmark.values.tolist()

    return [
        {
            "date": day.isoformat(),
            "equity": str(equity[row]),
            "cash": str(cash[row]),
            "return": returns[row],
            "drawdown": drawdowns[row],
            BENCHMARK: benchmark_values[row],
        }
        for row, day in enumerate(curve.dates)
    ]


def _decision(day: BacktestDay) -> Mapping[str, Any]:
    """Return the target weights, merged and by strategy, and the holdings after trading."""
    return {
        "date": day.date.isoformat(),
        "as_of": day.signal.session.as_of.isoformat(),
        "weights": _as_texts(day.signal.merged.weights),
        "cash": f"{day.signal.merged.cash:f}",
        "strategies": {name: _as_texts(weights) for name, weights in day.signal.strategy_weights.items()},
        "holdings": _as_texts(day.holdings),
    }


def _trade(trade: Trade) -> Mapping[str, Any]:
    return {
        "date": trade.day.isoformat(),
        "symbol": trade.symbol,
        "side": trade.side.value,
        "quantity": str(trade.quantity),
        "price": str(trade.price),
        "cash": str(trade.cash),
        "reason": trade.reason,
        "attribution": _as_texts(trade.attribution),
    }


def _refused(trade: RefusedTrade) -> Mapping[str, Any]:
    return {
        "date": trade.day.isoformat(),
        "symbol": trade.symbol,
        "side": trade.side.value,
        "quantity": str(trade.quantity),
        "reason": trade.reason,
        "detail": trade.detail,
    }


def _as_texts(values: Mapping[str, Decimal]) -> Mapping[str, str]:
    return {name: f"{value:f}" for name, value in values.items()}
