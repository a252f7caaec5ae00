"""Build the charts of the page about the analyses of a backtest. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from desk.backtest.analysis.comparison import Comparison
from desk.backtest.analysis.contributions import Contribution, largest
from desk.backtest.analysis.distribution import histogram
from desk.backtest.analysis.robustness import Robustness
from desk.backtest.analysis.rolling import WINDOW, rolling_beta, rolling_sharpe, rolling_volatility
from desk.backtest.output import wording
from desk.backtest.output.traces import (
    OTHER,
    OWN,
    Figure,
    bars,
    iso_days,
    legend_above,
    line,
    named_axis,
    rounded,
    time_axis,
)
from desk.backtest.result import Curve, Result
from the_alchemiser.shared import formats
from the_alchemiser.strategy_v2.arrays import Floats

MAX_BARS = 14
_BAR_HEIGHT = 26


def rolling_figure(result: Result) -> Figure | None:
    """Draw the Sharpe ratio above the volatility above the beta; None without a full window."""
    curve, benchmark = result.curve, result.benchmark
    if len(curve.dates) <= WINDOW:
        return None

    days = iso_days(curve.dates[WINDOW:])
    traces = _rolling_lines(curve, days, OWN)
    if benchmark is not None:
        traces += _rolling_lines(benchmark, days, OTHER)
        betas = rounded(rolling_beta(curve.returns, benchmark.returns), places=4)
        style = {"color": OWN, "width": 1.8}
        traces.append(line("beta", days, betas, yaxis="y3", line=style, showlegend=False))

    layout = {
        "height": 560,
        "yaxis": {"domain": [0.7, 1], **_title("Sharpe ratio"), "zeroline": True},
        "yaxis2": {"domain": [0.35, 0.65], "tickformat": ".0%", "rangemode": "tozero", **_title("volatility")},
        "yaxis3": {"domain": [0, 0.3], **_title("beta"), "zeroline": True},
        "xaxis": {"anchor": "y3"},
        "legend": legend_above(),
    }
    if benchmark is None:
        del layout["yaxis3"]
        layout["xaxis"] = {"anchor": "y2"}
    return {"traces": traces, "layout": layout, "label": _describe_rolling(curve)}


def distribution_figure(curve: Curve) -> Figure:
    """Draw how many sessions had which return."""
    drawn = histogram(curve.returns)
    edges = np.array(drawn.edges)
    centres = (edges[1:] + edges[:-1]) / 2
    ranges = [f"{low:.2%} to {high:.2%}" for low, high in pairwise(edges)]

    trace = bars(
        "sessions",
        rounded(centres, places=7),
        drawn.counts,
        width=float(edges[1] - edges[0]) * 0.94,
        marker={"color": ["--bad" if centre < 0 else OWN for centre in centres]},
        customdata=ranges,
        hovertemplate="%{customdata}: %{y} sessions<extra></extra>",
    )
    layout = {
        "height": 280,
        "bargap": 0,
        "hovermode": "closest",
        "xaxis": {"tickformat": ".2~%", "hoverformat": ".2%"},
        "yaxis": {"rangemode": "tozero", **_title("sessions")},
    }
    label = "Number of sessions by daily return; the table below describes the distribution."
    return {"traces": [trace], "layout": layout, "label": label}


def profits_figure(rows: Sequence[Contribution], kind: str) -> Figure | None:
    """Draw the profit of each symbol or strategy, the largest at the top; None without any.

    Args:
        kind: what the rows are, for the description.
    """
    if not rows:
        return None
    shown = list(reversed(largest(rows, MAX_BARS)))
    trace = bars(
        "profit",
        [float(row.profit) for row in shown],
        list(range(len(shown))),
        orientation="h",
        marker={"color": ["--bad" if row.profit < 0 else OWN for row in shown]},
        hovertemplate="%{x:$,.2f}<extra></extra>",
    )
    layout = {
        "height": 70 + _BAR_HEIGHT * len(shown),
        "bargap": 0.3,
        "hovermode": "closest",
        "xaxis": {"tickformat": "$,.12~g", "showgrid": True, "zeroline": True},
        "yaxis": named_axis([row.name for row in shown]),
    }
    profits = ", ".join(f"{row.name} {formats.money(row.profit)}" for row in reversed(shown))
    return {"traces": [trace], "layout": layout, "label": f"Profit per {kind}: {profits}."}


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw the equity of two backtests on their common sessions."""
    traces = [
        _equity(comparison.ours, "this backtest", {"color": OWN, "width": 2.2}),
        _equity(comparison.theirs, comparison.name, {"color": "--c1", "width": 1.8}),
    ]
    layout = {
        "height": 360,
        "yaxis": {"tickformat": "$,.12~g"},
        "xaxis": time_axis(comparison.ours.dates),
        "legend": legend_above(),
    }
    ours, theirs = comparison.ours.values[-1], comparison.theirs.values[-1]
    label = f"Equity of both backtests: this one ends with ${ours:,.2f}, {comparison.name} with ${theirs:,.2f}."
    return {"traces": traces, "layout": layout, "label": label}


def costs_figure(robustness: Robustness) -> Figure:
    """Draw the growth per year for each of the costs."""
    costs = [float(variant.value) for variant in robustness.costs]
    growth = [variant.statistics.cagr for variant in robustness.costs]
    trace = line("CAGR", costs, growth, hovertemplate="%{y:.2%}", line={"color": OWN, "width": 2.2})
    layout = {
        "height": 280,
        "xaxis": {"ticksuffix": " bp", "tickvals": costs, "hoverformat": "~g"},
        "yaxis": {"tickformat": ".2~%", "zeroline": True, **_title("CAGR")},
    }
    label = f"CAGR by trading costs. {wording.costs_sentence(robustness)}"
    return {"traces": [{**trace, "mode": "lines+markers"}], "layout": layout, "label": label}


def _rolling_lines(curve: Curve, days: list[str], colour: str) -> list[dict[str, Any]]:
    style = {"color": colour, "width": 1.8 if colour == OWN else 1.3}
    sharpe, volatility = rolling_sharpe(curve.returns), rolling_volatility(curve.returns)
    return [
        line(curve.name, days, rounded(sharpe, places=4), line=style, hovertemplate="%{y:.2f}"),
        line(
            f"{curve.name} volatility",
            days,
            rounded(volatility),
            yaxis="y2",
            line=style,
            hovertemplate="%{y:.1%}",
            showlegend=False,
        ),
    ]


def _describe_rolling(curve: Curve) -> str:
    sharpe, volatility = rolling_sharpe(curve.returns), rolling_volatility(curve.returns)
    return (
        f"Figures over the last {WINDOW} sessions, over time. Sharpe ratio of the strategy: {_range(sharpe)}; "
        f"volatility: {_range(volatility * 100)} percent."
    )


def _range(values: Floats) -> str:
    known = values[~np.isnan(values)]
    return f"{known.min():.2f} to {known.max():.2f}" if known.size else wording.NOT_DEFINED


def _equity(curve: Curve, name: str, style: Figure) -> dict[str, Any]:
    values = rounded(curve.values, places=2)
    return line(name, iso_days(curve.dates), values, line=style, hovertemplate="%{y:$,.2f}")


def _title(text: str) -> dict[str, Any]:
    return {"title": {"text": text, "font": {"size": 12}}}
