"""Convert the report of a backtest to JSON. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from desk.backtest.analysis import distribution, relative
from desk.backtest.analysis.contributions import Contribution
from desk.backtest.analysis.rolling import WINDOW, rolling_beta, rolling_sharpe, rolling_volatility
from desk.backtest.output.document_extras import comparison, robustness, split
from desk.backtest.report import Report
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Curve, Result
from desk.backtest.signals import Candidate
from desk.backtest.simulate import BacktestDay, RefusedTrade, Trade
from desk.backtest.statistics import DEFINITIONS
from the_alchemiser.strategy_v2.arrays import Floats

Document = Mapping[str, Any]


def json_text(document: Document) -> str:
    """Return a document as JSON with two spaces per level and sorted keys."""
    # The json module would indent in Python, which takes three times as long for a hundred thousand trades.
    compact = json.dumps(document, sort_keys=True, default=str)
    return msgspec.json.format(compact, indent=2)


def json_document(report: Report) -> Document:
    """Return the whole report: money, shares and weights as exact text, statistics as numbers, null if not defined."""
    result = report.result
    return {
        "strategies": [_strategy(candidate) for candidate in result.candidates],
        "prices": result.prices,
        "start": result.days[0].date.isoformat(),
        "end": result.days[-1].date.isoformat(),
        "sessions": len(result.days),
        "capital": str(result.capital),
        "costs_bps": str(result.costs_bps),
        "benchmark_note": result.benchmark_note,
        "turnover": result.turnover,
        "costs": str(result.costs),
        **_analyses(report),
        "equity": _equity(result),
        "decisions": [_decision(day) for day in result.days],
        "trade_count": len(result.trades),
        "trades": [_trade(trade) for trade in result.trades],
        "refused": [_refused(trade) for trade in result.refused],
    }


def _analyses(report: Report) -> Document:
    curve, benchmark = report.result.curve, report.result.benchmark
    distributions = [asdict(described) for described in report.distributions]
    return {
        "statistics": _of_both(asdict(curve.statistics), None if benchmark is None else asdict(benchmark.statistics)),
        "relative": None if report.relative is None else asdict(report.relative),
        "distribution": _of_both(distributions[0], None if benchmark is None else distributions[1]),
        "definitions": {
            **DEFINITIONS,
            **relative.DEFINITIONS,
            **distribution.DEFINITIONS,
            "turnover": TURNOVER_DEFINITION,
        },
        "drawdowns": [drawdown._asdict() for drawdown in curve.deepest()],
        "monthly": _of_both(_monthly(curve), None if benchmark is None else _monthly(benchmark)),
        "yearly": _of_both(_yearly(curve), None if benchmark is None else _yearly(benchmark)),
        "rolling": _rolling(curve, benchmark),
        "contributions": {
            "symbols": [_contribution(row) for row in report.contributions.symbols],
            "strategies": [_contribution(row) for row in report.contributions.strategies],
            "total": str(report.contributions.total),
        },
        "split": None if report.split is None else split(report.split),
        "comparison": None if report.comparison is None else comparison(report.comparison),
        "robustness": None if report.robustness is None else robustness(report.robustness),
    }


def _of_both(strategy: object, benchmark: object) -> Document:
    return {"strategy": strategy, BENCHMARK: benchmark}


def _strategy(candidate: Candidate) -> Document:
    return {
        "name": candidate.name,
        "allocation": str(candidate.allocation),
        "source": candidate.program.source,
        "inception": None if candidate.inception is None else candidate.inception.isoformat(),
    }


def _monthly(curve: Curve) -> list[Document]:
    return [year._asdict() for year in curve.years()]


def _yearly(curve: Curve) -> list[Document]:
    return [{"year": year, **asdict(statistics)} for year, statistics in curve.year_statistics().items()]


def _rolling(curve: Curve, benchmark: Curve | None) -> Document:
    """Return one value per full window, each with the date on which its window ends."""
    returns = curve.returns
    return {
        "window": WINDOW,
        "dates": [day.isoformat() for day in curve.dates[WINDOW:]],
        "sharpe": _numbers(rolling_sharpe(returns)),
        "volatility": _numbers(rolling_volatility(returns)),
        "beta": None if benchmark is None else _numbers(rolling_beta(returns, benchmark.returns)),
    }


def _numbers(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _contribution(row: Contribution) -> Document:
    return {"name": row.name, "profit": str(row.profit), "trades": row.trades}


def _equity(result: Result) -> Sequence[Document]:
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


def _decision(day: BacktestDay) -> Document:
    """Return the target weights, merged and by strategy, and the holdings after trading."""
    return {
        "date": day.date.isoformat(),
        "as_of": day.signal.session.as_of.isoformat(),
        "weights": _as_texts(day.signal.merged.weights),
        "cash": f"{day.signal.merged.cash:f}",
        "strategies": {name: _as_texts(weights) for name, weights in day.signal.strategy_weights.items()},
        "holdings": _as_texts(day.holdings),
    }


def _trade(trade: Trade) -> Document:
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


def _refused(trade: RefusedTrade) -> Document:
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
