"""Build the charts of the page about the result: equity, weights and years. Pure."""

from collections.abc import Mapping

import numpy as np

from desk.backtest.output import wording
from desk.backtest.output.analysis_figures import (
    comparison_figure,
    costs_figure,
    distribution_figure,
    profits_figure,
    rolling_figure,
)
from desk.backtest.output.traces import (
    OTHER,
    OWN,
    Figure,
    bars,
    iso_days,
    legend_above,
    line,
    rounded,
    time_axis,
)
from desk.backtest.report import Report
from desk.backtest.result import Curve, Result
from the_alchemiser.strategy_v2.arrays import Floats

MAX_SYMBOLS = 11
"""Number of symbols that the chart of weights shows by name; the rest share one area."""


def figures(report: Report) -> Mapping[str, Figure]:
    """Return every chart by the id of its HTML element."""
    result = report.result
    drawn = {
        "equity": equity_figure(result),
        "years": years_figure(result),
        "rolling": rolling_figure(result),
        "distribution": distribution_figure(result.curve),
        "strategies": profits_figure(report.contributions.strategies, "strategy"),
        "symbols": profits_figure(report.contributions.symbols, "symbol"),
        "weights": weights_figure(result),
        "comparison": None if report.comparison is None else comparison_figure(report.comparison),
        "costs": None if report.robustness is None else costs_figure(report.robustness),
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def equity_figure(result: Result) -> Figure:
    """Draw equity above drawdown on a common time axis."""
    traces = [_equity(result.curve, OWN, 2.2), _drawdown(result.curve, OWN, filled=True)]
    if result.benchmark is not None:
        traces += [_equity(result.benchmark, OTHER, 1.6), _drawdown(result.benchmark, OTHER, filled=False)]
    layout = {
        "height": 520,
        "yaxis": {"domain": [0.36, 1], "tickformat": "$,.12~g"},
        "yaxis2": {"domain": [0, 0.28], "tickformat": ".2~%", "title": {"text": "drawdown", "font": {"size": 12}}},
        "xaxis": {"anchor": "y2", **time_axis(result.curve.dates)},
        "legend": legend_above(),
    }
    curves = [curve for curve in (result.curve, result.benchmark) if curve is not None]
    label = "Equity and drawdown over time. " + " ".join(_describe(curve) for curve in curves)
    return {"traces": traces, "layout": layout, "label": label}


def weights_figure(result: Result) -> Figure:
    """Draw the weight of each position at each close, with cash on top."""
    weights = group_smallest(result.position_weights())
    days = iso_days(result.curve.dates[1:])
    cash = 1 - np.sum(list(weights.values()), axis=0) if weights else np.ones(len(days))
    areas = {**weights, "cash": cash}
    colours = [*(f"--p{number}" for number in range(len(weights))), "--p12"]

    traces = [_area(name, days, values, colour) for (name, values), colour in zip(areas.items(), colours, strict=True)]
    layout = {
        "height": 420,
        "xaxis": time_axis(result.curve.dates),
        "yaxis": {"range": [0, 1], "tickformat": ".0%"},
        "legend": {"traceorder": "reversed"},
    }
    means = ", ".join(f"{name} {wording.percent(float(np.mean(values)), places=1)}" for name, values in areas.items())
    return {"traces": traces, "layout": layout, "label": f"Weights over time; the means are {means}."}


def years_figure(result: Result) -> Figure:
    """Draw the return of each year beside the benchmark's."""
    traces = [_year_bars(result.curve, OWN)]
    if result.benchmark is not None:
        traces.append(_year_bars(result.benchmark, OTHER))
    layout = {
        "height": 260,
        "bargap": 0.6,
        "bargroupgap": 0.08,
        "xaxis": {"type": "category"},
        "yaxis": {"tickformat": ".2~%", "zeroline": True},
        "legend": legend_above(),
    }
    return {"traces": traces, "layout": layout, "label": "Return of each year; the table below lists the values."}


def group_smallest(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    """Sort the symbols by mean weight, the largest first, and add up those beyond `MAX_SYMBOLS`."""
    ranked = sorted(weights, key=lambda symbol: (-float(np.mean(weights[symbol])), symbol))
    shown = {symbol: weights[symbol] for symbol in ranked[:MAX_SYMBOLS]}
    rest = [weights[symbol] for symbol in ranked[MAX_SYMBOLS:]]
    return {**shown, f"{len(rest)} others": np.sum(rest, axis=0)} if rest else shown


def _describe(curve: Curve) -> str:
    first, last = curve.values[0], curve.values[-1]
    fall = wording.percent(curve.statistics.max_drawdown)
    return f"{curve.name}: from ${first:,.2f} to ${last:,.2f}, maximum drawdown {fall}."


def _year_bars(curve: Curve, colour: str) -> Figure:
    years = curve.years()
    names, totals = [str(year.year) for year in years], rounded([year.total for year in years])
    return bars(curve.name, names, totals, marker={"color": colour}, hovertemplate="%{y:.2%}")


def _equity(curve: Curve, colour: str, width: float) -> Figure:
    values, style = rounded(curve.values, places=2), {"color": colour, "width": width}
    return line(curve.name, iso_days(curve.dates), values, line=style, hovertemplate="%{y:$,.2f}")


def _drawdown(curve: Curve, colour: str, *, filled: bool) -> Figure:
    return line(
        f"{curve.name} drawdown",
        iso_days(curve.dates),
        rounded(curve.drawdowns),
        yaxis="y2",
        line={"color": colour, "width": 1.2},
        fill="tozeroy" if filled else "none",
        fillcolor=f"{colour}/0.16",
        hovertemplate="%{y:.2%}",
        showlegend=False,
    )


def _area(name: str, days: list[str], values: Floats, colour: str) -> Figure:
    style = {"width": 0, "color": colour, "shape": "hv"}
    return line(
        name,
        days,
        rounded(values),
        stackgroup="weights",
        line=style,
        fillcolor=colour,
        hovertemplate="%{y:.1%}",
    )
