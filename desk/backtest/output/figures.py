"""Build the charts of the page for plotly: traces and layouts as JSON values. Pure.

A colour is the name of a style sheet variable such as `--c0`. The page's script replaces it with the variable's value,
so that the charts match the light and the dark theme.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from desk.backtest.result import Curve, Result
from the_alchemiser.strategy_v2.arrays import Floats

MAX_SYMBOLS = 11
"""Number of symbols that the chart of weights shows by name; the rest share one area."""
_FEW_DAYS = 10
_DAY_MS = 86_400_000

Figure = Mapping[str, Any]


def figures(result: Result) -> Mapping[str, Figure]:
    """Return every chart by the id of its HTML element."""
    return {"equity": equity_figure(result), "weights": weights_figure(result), "years": years_figure(result)}


def equity_figure(result: Result) -> Figure:
    """Draw equity above drawdown on a common time axis."""
    traces = [_equity(result.curve, "--accent", 2.2), _drawdown(result.curve, "--accent", filled=True)]
    if result.benchmark is not None:
        traces += [_equity(result.benchmark, "--c7", 1.6), _drawdown(result.benchmark, "--c7", filled=False)]
    layout = {
        "height": 520,
        "yaxis": {"domain": [0.36, 1], "tickprefix": "$", "tickformat": ",.12~g"},
        "yaxis2": {"domain": [0, 0.28], "tickformat": ".2~%", "title": {"text": "drawdown", "font": {"size": 12}}},
        "xaxis": {"anchor": "y2", **_time_axis(result.curve)},
        "legend": {"orientation": "h", "x": 0, "y": 1.08},
    }
    return {"traces": traces, "layout": layout}


def weights_figure(result: Result) -> Figure:
    """Draw the weight of each position at each close, with cash on top."""
    weights = group_smallest(result.position_weights())
    days = _days(result.curve)[1:]
    cash = 1 - np.sum(list(weights.values()), axis=0) if weights else np.ones(len(days))
    traces = [_area(name, days, values, f"--p{number}") for number, (name, values) in enumerate(weights.items())]
    traces.append(_area("cash", days, cash, "--p12"))
    layout = {
        "height": 420,
        "xaxis": _time_axis(result.curve),
        "yaxis": {"range": [0, 1], "tickformat": ".0%"},
        "legend": {"traceorder": "reversed"},
    }
    return {"traces": traces, "layout": layout}


def years_figure(result: Result) -> Figure:
    """Draw the return of each year beside the benchmark's."""
    traces = [_year_bars(result.curve, "--accent")]
    if result.benchmark is not None:
        traces.append(_year_bars(result.benchmark, "--c7"))
    layout = {
        "height": 260,
        "bargap": 0.6,
        "bargroupgap": 0.08,
        "xaxis": {"type": "category"},
        "yaxis": {"tickformat": ".2~%", "zeroline": True},
        "legend": {"orientation": "h", "x": 0, "y": 1.16},
    }
    return {"traces": traces, "layout": layout}


def group_smallest(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    """Sort the symbols by mean weight, the largest first, and add up those beyond `MAX_SYMBOLS`."""
    ranked = sorted(weights, key=lambda symbol: (-float(np.mean(weights[symbol])), symbol))
    shown = {symbol: weights[symbol] for symbol in ranked[:MAX_SYMBOLS]}
    rest = [weights[symbol] for symbol in ranked[MAX_SYMBOLS:]]
    return {**shown, f"{len(rest)} others": np.sum(rest, axis=0)} if rest else shown


def _year_bars(curve: Curve, colour: str) -> Figure:
    years = curve.years()
    return {
        "type": "bar",
        "name": curve.name,
        "x": [str(year.year) for year in years],
        "y": _rounded([year.total for year in years]),
        "marker": {"color": colour},
        "hovertemplate": "%{y:.2%}",
    }


def _equity(curve: Curve, colour: str, width: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "x": _days(curve),
        "y": _rounded(curve.values.tolist(), places=2),
        "line": {"color": colour, "width": width},
        "hovertemplate": "$%{y:,.2f}",
    }


def _drawdown(curve: Curve, colour: str, *, filled: bool) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{curve.name} drawdown",
        "x": _days(curve),
        "y": _rounded(curve.drawdowns.tolist()),
        "yaxis": "y2",
        "line": {"color": colour, "width": 1.2},
        "fill": "tozeroy" if filled else "none",
        "fillcolor": f"{colour}/0.16",
        "hovertemplate": "%{y:.2%}",
        "showlegend": False,
    }


def _area(name: str, days: Sequence[str], values: Floats, colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(days),
        "y": _rounded(values.tolist()),
        "stackgroup": "weights",
        "line": {"width": 0, "color": colour, "shape": "hv"},
        "fillcolor": colour,
        "hovertemplate": "%{y:.1%}",
    }


def _time_axis(curve: Curve) -> Figure:
    """Return the ticks of a time axis: one per day for a short period, which plotly would divide into hours."""
    return {"dtick": _DAY_MS} if len(curve.dates) <= _FEW_DAYS else {}


def _days(curve: Curve) -> list[str]:
    return [day.isoformat() for day in curve.dates]


def _rounded(values: Sequence[float], *, places: int = 5) -> list[float]:
    return [round(value, places) for value in values]
