import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from desk.backtest.analysis.contributions import Contribution
from desk.backtest.analysis.distribution import histogram
from desk.backtest.analysis.rolling import WINDOW, rolling_sharpe
from desk.backtest.output import analysis_figures, figures, page, traces
from desk.backtest.report import Report
from tests.desk.backtest.output.reports import COUNT, HOSTILE, idle_report, result_of, whole_report

WHOLE = whole_report()
RESULT = WHOLE.result
NAMES = ("equity", "years", "rolling", "distribution", "strategies", "symbols", "weights", "comparison", "costs")


def with_colours(value: Any) -> Any:
    """Replace the colour variables of the style sheet by a colour that plotly accepts."""
    if isinstance(value, dict):
        return {key: with_colours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_colours(item) for item in value]
    return "#123456" if isinstance(value, str) and value.startswith("--") else value


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_accepted_by_plotly(name: str) -> None:
    figure = with_colours(figures.figures(WHOLE)[name])

    assert len(go.Figure(data=figure["traces"], layout=figure["layout"]).data) == len(figure["traces"]) > 0


def test_plotly_rejects_unknown_property() -> None:
    with pytest.raises(ValueError, match="Invalid property"):
        go.Figure(data=[{"type": "scatter", "colour": "--c0"}])


def test_figures_are_those_of_the_report() -> None:
    assert tuple(figures.figures(WHOLE)) == NAMES
    assert tuple(figures.figures(Report(RESULT))) == NAMES[:7]
    assert tuple(figures.figures(idle_report())) == ("equity", "years", "rolling", "distribution", "weights")


def test_figures_use_only_colours_of_style_sheets() -> None:
    html = page.render(WHOLE)
    used = set(re.findall(r'"(--\w+)', json.dumps(figures.figures(WHOLE))))

    assert used
    assert all(f"{name}: #" in html for name in used)


def test_figures_have_labels_that_end_like_sentences() -> None:
    labels = {name: figure["label"] for name, figure in figures.figures(WHOLE).items()}

    assert all(label.endswith(".") for label in labels.values())
    assert "strategy: from $10,000.00 to $" in labels["equity"]
    assert "one $" in labels["strategies"]


def test_weights_figure_weights_and_cash_sum_to_one() -> None:
    drawn = figures.weights_figure(RESULT)["traces"]

    assert np.sum([trace["y"] for trace in drawn], axis=0) == pytest.approx(np.ones(COUNT - 1), abs=1e-4)


def test_weights_figure_many_symbols_groups_smallest() -> None:
    drawn = figures.weights_figure(result_of(symbols=15))["traces"]

    assert [trace["name"] for trace in drawn][-2:] == ["4 others", "cash"]
    assert len(drawn) == figures.MAX_SYMBOLS + 2


def test_equity_figure_without_benchmark_has_one_curve() -> None:
    assert len(figures.equity_figure(result_of(benchmark=False))["traces"]) == 2


def test_equity_figure_few_days_has_daily_ticks() -> None:
    few = replace(RESULT, days=RESULT.days[:3], benchmark=None)

    assert figures.equity_figure(few)["layout"]["xaxis"]["dtick"] == 24 * 60 * 60 * 1000
    assert "dtick" not in figures.equity_figure(RESULT)["layout"]["xaxis"]


def test_weights_figure_without_positions_is_all_cash() -> None:
    idle = replace(RESULT, days=tuple(replace(day, values={}) for day in RESULT.days))

    assert [trace["name"] for trace in figures.weights_figure(idle)["traces"]] == ["cash"]


def test_rolling_figure_draws_each_full_window() -> None:
    figure = analysis_figures.rolling_figure(RESULT)

    assert figure is not None
    sharpe, *_, beta = figure["traces"]
    assert (sharpe["x"][0], sharpe["x"][-1]) == (str(RESULT.days[WINDOW - 1].date), str(RESULT.days[-1].date))
    assert sharpe["y"] == pytest.approx(rolling_sharpe(RESULT.curve.returns), abs=1e-4)
    assert (beta["yaxis"], len(figure["traces"])) == ("y3", 5)


def test_rolling_figure_without_benchmark_has_no_beta() -> None:
    figure = analysis_figures.rolling_figure(result_of(benchmark=False))

    assert figure is not None
    assert (len(figure["traces"]), figure["layout"]["xaxis"], "yaxis3" in figure["layout"]) == (
        2,
        {"anchor": "y2"},
        False,
    )


@pytest.mark.parametrize(("sessions", "drawn"), [(WINDOW - 1, False), (WINDOW, True)])
def test_rolling_figure_needs_a_full_window(sessions: int, drawn: bool) -> None:
    few = replace(RESULT, days=RESULT.days[:sessions], benchmark=None)

    assert (analysis_figures.rolling_figure(few) is not None) == drawn


def test_distribution_figure_counts_sessions() -> None:
    (trace,) = analysis_figures.distribution_figure(RESULT.curve)["traces"]
    counted = histogram(RESULT.curve.returns)

    assert trace["y"] == list(counted.counts)
    assert [colour == "--bad" for colour in trace["marker"]["color"]] == [low < 0 for low in counted.edges[:-1]]


def test_profits_figure_has_largest_at_the_top() -> None:
    rows = WHOLE.contributions.symbols
    figure = analysis_figures.profits_figure(rows, "symbol")

    assert figure is not None
    assert figure["layout"]["yaxis"]["ticktext"] == [row.name for row in reversed(rows)]
    assert figure["traces"][0]["x"] == [float(row.profit) for row in reversed(rows)]
    assert analysis_figures.profits_figure((), "symbol") is None


def test_profits_figure_many_rows_groups_smallest() -> None:
    rows = [Contribution(f"S{number}", 100 - number * RESULT.capital / 100, 1) for number in range(40)]

    figure = analysis_figures.profits_figure(rows, "symbol")

    assert figure is not None
    assert len(figure["layout"]["yaxis"]["ticktext"]) == analysis_figures.MAX_BARS + 1
    assert sum(figure["traces"][0]["x"]) == pytest.approx(float(sum(row.profit for row in rows)))


def test_costs_figure_falls_with_costs() -> None:
    assert WHOLE.robustness is not None
    (trace,) = analysis_figures.costs_figure(WHOLE.robustness)["traces"]

    assert trace["x"] == [0, 1, 2, 5, 10, 15, 20]
    assert trace["y"] == sorted(trace["y"], reverse=True)


def test_texts_for_plotly_have_no_markup() -> None:
    names = [HOSTILE, "<a href='javascript:fail()'>x</a>"]
    texts = [traces.line(HOSTILE, [], [])["name"], *traces.named_axis(names)["ticktext"]]

    assert not any("<" in text for text in texts)
    assert traces.named_axis(["x" * 40])["ticktext"] == ["x" * 27 + "…"]
