"""A backtest as JSON values, for programs. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Result
from desk.backtest.simulate import Day, Refused, Trade
from desk.backtest.statistics import DEFINITIONS

DRAWDOWNS = 5


def document(result: Result) -> Mapping[str, Any]:
    """Everything: money, shares and weights as exact text, statistics as numbers, null where not defined."""
    benchmark = result.benchmark
    return {
        "strategies": [
            {
                "name": one.name,
                "allocation": str(one.allocation),
                "source": one.program.source,
                "inception": None if one.inception is None else one.inception.isoformat(),
            }
            for one in result.candidates
        ],
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
        "drawdowns": [one._asdict() for one in result.curve.deepest(DRAWDOWNS)],
        "monthly": {
            "strategy": [one._asdict() for one in result.curve.years()],
            BENCHMARK: None if benchmark is None else [one._asdict() for one in benchmark.years()],
        },
        "decisions": [_decision(day) for day in result.days],
        "trade_count": len(result.trades),
        "trades": [_trade(trade) for trade in result.trades],
        "refused": [_refused(refused) for refused in result.refused],
    }


def _equity(result: Result) -> list[Mapping[str, Any]]:
    """One row a close, the first that before the first session; `return` is since the row before."""
    curve, benchmark = result.curve, result.benchmark
    equity = (result.capital, *(day.equity for day in result.days))
    cash = (result.capital, *(day.cash for day in result.days))
    returns = (None, *curve.returns.tolist())
    falls = curve.drawdowns.tolist()
    values = [None] * len(equity) if benchmark is None else benchmark.values.tolist()
    return [
        {
            "date": day.isoformat(),
            "equity": str(equity[row]),
            "cash": str(cash[row]),
            "return": returns[row],
            "drawdown": falls[row],
            BENCHMARK: values[row],
        }
        for row, day in enumerate(curve.dates)
    ]


def _decision(day: Day) -> Mapping[str, Any]:
    """Weights asked for, whole and by strategy, and what was held after trading."""
    return {
        "date": day.date.isoformat(),
        "as_of": day.signal.turn.as_of.isoformat(),
        "weights": _texts(day.signal.merged.weights),
        "strategies": {name: _texts(weights) for name, weights in day.signal.answers.items()},
        "holdings": _texts(day.holdings),
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
        "attribution": _texts(trade.attribution),
    }


def _refused(refused: Refused) -> Mapping[str, Any]:
    return {
        "date": refused.day.isoformat(),
        "symbol": refused.symbol,
        "side": refused.side.value,
        "quantity": str(refused.quantity),
        "reason": refused.reason,
        "detail": refused.detail,
    }


def _texts(values: Mapping[str, Decimal]) -> Mapping[str, str]:
    return {name: f"{value:f}" for name, value in values.items()}
