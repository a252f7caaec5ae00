"""The charts of the page as plotly takes them: traces and layouts as JSON values. Pure.

A colour is the name of a variable of the style sheet, `--c0`; the page's script puts in what it stands for, so that the
charts are right on light and on dark ground.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from desk.backtest.result import Curve, Result
from the_alchemiser.strategy_v2.arrays import Floats

MOST_SYMBOLS = 11
"""Shown by name in the chart of weights; what is left of the symbols is one more area."""
_OTHERS = "others"
_FEW_DAYS = 10
_DAY_MS = 86_400_000

Figure = Mapping[str, Any]


def figures(result: Result) -> Mapping[str, Figure]:
    """Every chart by the id of the element it is drawn in."""
    return {"equity": equity_figure(result), "weights": weights_figure(result), "years": years_figure(result)}


def equity_figure(result: Result) -> Figure:
    """Equity above, drawdown below, on one axis of time."""
    traces = [_equity(result.curve, "--accent", 2.2), _drawdown(result.curve, "--accent", filled=True)]
    if result.benchmark is not None:
        traces += [_equity(result.benchmark, "--c7", 1.6), _drawdown(result.benchmark, "--c7", filled=False)]
    layout = {
        "height": 520,
        "yaxis": {"domain": [0.36, 1], "tickprefix": "$", "tickformat": ",.12~g"},
        "yaxis2": {"domain": [0, 0.28], "tickformat": ".2~%", "title": {"text": "drawdown", "font": {"size": 12}}},
        "xaxis": {"anchor": "y2", **_time(result.curve)},
        "legend": {"orientation": "h", "x": 0, "y": 1.08},
    }
    return {"traces": traces, "layout": layout}


def weights_figure(result: Result) -> Figure:
    """What was held at each close as parts of the equity, cash on top."""
    held = largest(result.held())
    days = _days(result.curve)[1:]
    cash = 1 - np.sum(list(held.values()), axis=0) if held else np.ones(len(days))
    areas = [(name, values, f"--p{number}") for number, (name, values) in enumerate(held.items())]
    traces = [_area(name, days, values, colour) for name, values, colour in (*areas, ("cash", cash, "--p12"))]
    layout = {
        "height": 420,
        "xaxis": _time(result.curve),
        "yaxis": {"range": [0, 1], "tickformat": ".0%"},
        "legend": {"traceorder": "reversed"},
    }
    return {"traces": traces, "layout": layout}


def years_figure(result: Result) -> Figure:
    """Return a year, beside the benchmark's."""
    curves = [(result.curve, "--accent")]
    if result.benchmark is not None:
        curves.append((result.benchmark, "--c7"))
    traces = [
        {
            "type": "bar",
            "name": curve.name,
            "x": [str(one.year) for one in curve.years()],
            "y": _rounded([one.total for one in curve.years()]),
            "marker": {"color": colour},
            "hovertemplate": "%{y:.2%}",
        }
        for curve, colour in curves
    ]
    layout = {
        "height": 260,
        "bargap": 0.6,
        "bargroupgap": 0.08,
        "xaxis": {"type": "category"},
        "yaxis": {"tickformat": ".2~%", "zeroline": True},
        "legend": {"orientation": "h", "x": 0, "y": 1.16},
    }
    return {"traces": traces, "layout": layout}


def largest(held: Mapping[str, Floats]) -> dict[str, Floats]:
    """The symbols that were held most, by their mean part, the largest first; the rest as one."""
    ranked = sorted(held, key=lambda symbol: (-float(np.mean(held[symbol])), symbol))
    shown = {symbol: held[symbol] for symbol in ranked[:MOST_SYMBOLS]}
    rest = [held[symbol] for symbol in ranked[MOST_SYMBOLS:]]
    return {**shown, f"{len(rest)} {_OTHERS}": np.sum(rest, axis=0)} if rest else shown


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


def _time(curve: Curve) -> Figure:
    """An axis of few days has a tick a day: plotly would divide them into hours."""
    return {"dtick": _DAY_MS} if len(curve.dates) <= _FEW_DAYS else {}


def _days(curve: Curve) -> list[str]:
    return [day.isoformat() for day in curve.dates]


def _rounded(values: Sequence[float], *, places: int = 5) -> list[float]:
    return [round(value, places) for value in values]
