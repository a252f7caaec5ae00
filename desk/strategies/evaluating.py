"""Evaluate a strategy on one day: print its weights, and explain them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from automation.system import console
from automation.system.errors import UsageError
from desk.decision import FIXED_WEIGHTS, summary
from desk.decision_series import evaluate_day
from desk.strategies.arguments import (
    ChosenStrategy,
    LoadedBars,
    choose_strategy,
    parse_day,
    read_bars,
    translate_product_errors,
)
from desk.strategies.sufficiency import natural_inception
from the_alchemiser.shared.decision_steps import describe_step, is_fragile
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.options import Decide, RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.strategy_v2.engine import Decision
from the_alchemiser.strategy_v2.history import PriceHistory

EVALUATE = "strategies.evaluate"
EXPLAIN = "strategies.explain"
_STEP_COLUMNS = ("line", "of the money", "decision", "margin", "")


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """The options of `strategies.evaluate` and `strategies.explain` as typed; an empty text selects the default.

    Attributes:
        names: exactly one strategy of the book or file.
        date: the session to evaluate, YYYY-MM-DD.
        bars: a folder of bars; empty for the bundled prices.
        fragile: margins below it are marked; in points of an indicator and percent of a price.
    """

    names: Sequence[str]
    date: str
    bars: str = ""
    rsi: str = ""
    ddof: str = ""
    inception: str = ""
    fragile: str = ""
    decide: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A decision with the strategy, the bars and the inception that it was computed from."""

    chosen: ChosenStrategy
    bars: LoadedBars
    inception: date
    decision: Decision


def show_weights(request: EvaluationRequest, *, as_json: bool) -> None:
    """Print the weights at the close of a day.

    Raises:
        UsageError: an option is invalid, or the day is not a session.
        ConfigurationError: the book cannot be read.
        CheckFailedError: the file does not parse, or the day cannot be decided.
    """
    evaluation = _evaluate(request, task=EVALUATE, as_json=as_json)
    if as_json:
        console.result_json(_evaluation_json(evaluation))
        return
    _print_heading(evaluation)
    _print_weights(evaluation.decision)


def show_path(request: EvaluationRequest, *, as_json: bool) -> None:
    """Print the decision path of a day: conditions and rankings from the root down, then the weights.

    Raises:
        UsageError: an option is invalid, or the day is not a session.
        ConfigurationError: the book cannot be read.
        CheckFailedError: the file does not parse, or the day cannot be decided.
    """
    evaluation = _evaluate(request, task=EXPLAIN, as_json=as_json)
    path = evaluation.decision.path
    if as_json:
        console.result_json({**_evaluation_json(evaluation), "path": path})
        return

    _print_heading(evaluation)
    console.table(_STEP_COLUMNS, map(_row, path["steps"]), right=("of the money", "margin"))
    console.result(summary(path) or FIXED_WEIGHTS)
    _print_weights(evaluation.decision)


def _row(step: Mapping[str, Any]) -> tuple[str, ...]:
    margin = step.get("margin")
    return (
        f"{step['line']}:{step['column']}",
        f"{step['share']:.1%}",
        describe_step(step),
        "" if margin is None else f"{margin:+,.6g}",
        "fragile" if is_fragile(step) else "",
    )


def _evaluate(request: EvaluationRequest, *, task: str, as_json: bool) -> Evaluation:
    as_of = parse_day(request.date, option="--date", task=task)
    with translate_product_errors(as_json=as_json):
        chosen = choose_strategy(request.names, task=task)
    options = _options(request, chosen.options, task)
    fragile = _fragile_argument(request.fragile, task)
    inception = parse_day(request.inception, option="--inception", task=task) if request.inception else None

    with (
        translate_product_errors(as_json=as_json, about=chosen.label),
        console.progress(f"evaluating {chosen.name}"),
    ):
        program = compile_symphony(chosen.symphony, options)
        bars = read_bars(request.bars, program.symbols)
        _require_session(bars.history, as_of, task)
        start = inception or chosen.inception or natural_inception(program, bars.history.through(as_of))
        decision = evaluate_day(program, bars.history, as_of=as_of, inception=start, **fragile)
    return Evaluation(chosen, bars, start, decision)


def _require_session(history: PriceHistory, day: date, task: str) -> None:
    """Refuse a day without any bar. A history without bars passes, because the engine explains that case better."""
    dates = history.dates
    wanted = np.datetime64(day, "D")
    index = int(np.searchsorted(dates, wanted))
    if not len(dates) or (index < len(dates) and dates[index] == wanted):
        return

    neighbors = []
    if index:
        neighbors.append(f"the previous one is {dates[index - 1]}")
    if index < len(dates):
        neighbors.append(f"the next one is {dates[index]}")
    raise UsageError(f"--date must be a session of these bars, got {day}; {', '.join(neighbors)}", where=task)


def _options(request: EvaluationRequest, defaults: StrategyOptions, task: str) -> StrategyOptions:
    if request.rsi and request.rsi not in tuple(RsiMethod):
        raise UsageError(f"--rsi must be {' or '.join(RsiMethod)}, got {request.rsi}", where=task)
    if request.ddof not in ("", "0", "1"):
        raise UsageError(f"--ddof must be 0 or 1, got {request.ddof}", where=task)
    if request.decide and request.decide not in tuple(Decide):
        raise UsageError(f"--decide must be {' or '.join(Decide)}, got {request.decide}", where=task)
    return StrategyOptions(
        rsi=RsiMethod(request.rsi) if request.rsi else defaults.rsi,
        ddof=int(request.ddof) if request.ddof else defaults.ddof,
        decide=Decide(request.decide) if request.decide else defaults.decide,
    )


def _fragile_argument(text: str, task: str) -> Mapping[str, Any]:
    """Return the keyword argument for `evaluate`; empty keeps its default."""
    if not text:
        return {}
    try:
        points = float(text)
    except ValueError:
        points = -1.0
    if not points >= 0 or points == float("inf"):
        raise UsageError(f"--fragile must be 0 or more points, got {text}; for example --fragile 0.5", where=task)
    return {"fragile_points": points}


def _evaluation_json(evaluation: Evaluation) -> Mapping[str, Any]:
    decision = evaluation.decision
    document = {
        "strategy": evaluation.chosen.name,
        "as_of": decision.as_of.isoformat(),
        "decided_on": decision.decided_on.isoformat(),
        "weights": {symbol: format_plain(weight) for symbol, weight in decision.weights.items()},
        "cash": format_plain(decision.cash),
        "bars_digest": decision.bars_digest,
        "columns": evaluation.bars.columns,
    }
    if isinstance(evaluation.chosen.symphony.rebalance, Threshold):
        document["inception"] = evaluation.inception.isoformat()
    return document


def _print_heading(evaluation: Evaluation) -> None:
    chosen, decision = evaluation.chosen, evaluation.decision
    console.result(f"{chosen.name} at the close of {decision.as_of}, on {_origin(evaluation.bars)}")
    if decision.decided_on != decision.as_of:
        console.result(f"decided on {decision.decided_on} ({decision.path['rebalance']}), drifted since")
    if isinstance(chosen.symphony.rebalance, Threshold):
        console.result(f"simulated from its inception, {evaluation.inception}")


def _origin(bars: LoadedBars) -> str:
    """Return where the bars are from, with the columns of the closes if they are from a folder."""
    names = sorted(set(bars.columns.values()))
    return f"{bars.origin} ({' and '.join(names)})" if names else bars.origin


def _print_weights(decision: Decision) -> None:
    largest_first = sorted(decision.weights.items(), key=lambda item: (-item[1], item[0]))
    rows = [(symbol, format_plain(weight), f"{decision.closes[symbol]:,f}") for symbol, weight in largest_first]
    if rows:
        console.table(("symbol", "weight", "close"), rows, right=("weight", "close"))
    if decision.cash:
        console.result(f"in cash {format_plain(decision.cash)}")
    console.result(f"bars {decision.bars_digest}")


def format_plain(number: Decimal) -> str:
    """Return a number without trailing zeros or exponent: `0.5`, `1`."""
    return f"{number.normalize():f}"
