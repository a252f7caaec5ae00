"""The weights of one day, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from automation.system import console
from automation.system.errors import UsageError
from desk.decision import is_fragile, summary, told_step
from desk.strategies.sources import Bars, Chosen, choose, parse_day, read_bars, reported
from desk.strategies.sufficiency import natural_inception
from the_alchemiser.shared.book import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.strategy_v2.engine import Decision, evaluate
from the_alchemiser.strategy_v2.history import PriceHistory

EVALUATE = "strategies.evaluate"
EXPLAIN = "strategies.explain"
_NUMBERS = ("of the money", "margin")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as typed; an empty text leaves a choice to the book, or to the defaults.

    Attributes:
        names: exactly one strategy or file.
        fragile: margins below it are marked; points of an indicator, percent of a price.
    """

    names: Sequence[str]
    date: str
    bars: str = ""
    rsi: str = ""
    ddof: str = ""
    inception: str = ""
    fragile: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, and what it was made from."""

    chosen: Chosen
    bars: Bars
    inception: date
    decision: Decision


def show_weights(question: Question, *, as_json: bool) -> None:
    """Print the weights at the close of a day.

    Raises:
        UsageError: a word or an option is not understood, or the day is no session.
        CheckFailedError: the file does not parse, or the day cannot be decided.
    """
    answer = _answer(question, task=EVALUATE, as_json=as_json)
    if as_json:
        console.result_json(_weights_json(answer))
        return
    _show_heading(answer)
    _show_weights(answer.decision)


def show_path(question: Question, *, as_json: bool) -> None:
    """Print the decision path of a day: conditions and rankings from the root down, then the weights.

    Raises:
        UsageError: a word or an option is not understood, or the day is no session.
        CheckFailedError: the file does not parse, or the day cannot be decided.
    """
    answer = _answer(question, task=EXPLAIN, as_json=as_json)
    path = answer.decision.path
    if as_json:
        console.result_json({**_weights_json(answer), "path": path})
        return
    _show_heading(answer)
    console.table(("line", "of the money", "decision", "margin", ""), map(_row, path["steps"]), right=_NUMBERS)
    console.result(summary(path) or "There was nothing to decide: its weights are fixed.")
    _show_weights(answer.decision)


def _row(step: Mapping[str, Any]) -> tuple[str, ...]:
    margin = step.get("margin")
    return (
        f"{step['line']}:{step['column']}",
        f"{step['share']:.1%}",
        told_step(step),
        "" if margin is None else f"{margin:+,.6g}",
        "fragile" if is_fragile(step) else "",
    )


def _answer(question: Question, *, task: str, as_json: bool) -> Answer:
    as_of = parse_day(question.date, option="--date", task=task)
    with reported(as_json=as_json):
        chosen = choose(question.names, task=task)
    options = _options(question, chosen.options, task)
    fragile = _points(question.fragile, task)
    inception = parse_day(question.inception, option="--inception", task=task) if question.inception else None
    with reported(as_json=as_json, about=chosen.label), console.progress(f"evaluating {chosen.name}"):
        program = compile_symphony(chosen.symphony, options)
        bars = read_bars(question.bars, program.symbols)
        _require_session(bars.history, as_of, task)
        since = inception or chosen.inception or natural_inception(program, bars.history.through(as_of))
        decision = evaluate(program, bars.history, as_of=as_of, inception=since, **fragile)
    return Answer(chosen, bars, since, decision)


def _require_session(history: PriceHistory, day: date, task: str) -> None:
    """Refuse a day without any bar, unless there are no bars at all, of which the engine knows what is wrong."""
    dates = history.dates
    wanted = np.datetime64(day, "D")
    after = int(np.searchsorted(dates, wanted))
    if not len(dates) or (after < len(dates) and dates[after] == wanted):
        return
    before = f"the last before it is {dates[after - 1]}" if after else "there is none before it"
    behind = f"the first after it {dates[after]}" if after < len(dates) else "none after it"
    raise UsageError(f"--date {day} is no session of these bars: {before}, {behind}", where=task)


def _options(question: Question, known: StrategyOptions, task: str) -> StrategyOptions:
    if question.rsi and question.rsi not in tuple(RsiMethod):
        raise UsageError(f"--rsi {question.rsi}: expected {' or '.join(RsiMethod)}", where=task)
    if question.ddof not in ("", "0", "1"):
        raise UsageError(f"--ddof {question.ddof}: expected 0 or 1", where=task)
    rsi = RsiMethod(question.rsi) if question.rsi else known.rsi
    return StrategyOptions(rsi, int(question.ddof) if question.ddof else known.ddof)


def _points(text: str, task: str) -> Mapping[str, Any]:
    if not text:
        return {}
    try:
        points = float(text)
    except ValueError:
        points = -1.0
    if not points >= 0 or points == float("inf"):
        raise UsageError(f"--fragile {text}: expected points of an indicator, as 0.5", where=task)
    return {"fragile_points": points}


def _weights_json(answer: Answer) -> Mapping[str, Any]:
    decision = answer.decision
    found = {
        "strategy": answer.chosen.name,
        "as_of": decision.as_of.isoformat(),
        "decided_on": decision.decided_on.isoformat(),
        "weights": {symbol: plain(weight) for symbol, weight in decision.weights.items()},
        "bars_digest": decision.bars_digest,
        "columns": answer.bars.columns,
    }
    if isinstance(answer.chosen.symphony.rebalance, Threshold):
        found["inception"] = answer.inception.isoformat()
    return found


def _show_heading(answer: Answer) -> None:
    chosen, decision = answer.chosen, answer.decision
    console.result(f"{chosen.name} at the close of {decision.as_of}, on {_origin(answer.bars)}")
    if decision.decided_on != decision.as_of:
        console.result(f"decided on {decision.decided_on} ({decision.path['rebalance']}), drifted since")
    if isinstance(chosen.symphony.rebalance, Threshold):
        console.result(f"simulated from its inception, {answer.inception}")


def _origin(bars: Bars) -> str:
    """Where the bars are from, and which columns the closes."""
    names = sorted(set(bars.columns.values()))
    return f"{bars.origin} ({' and '.join(names)})" if names else bars.origin


def _show_weights(decision: Decision) -> None:
    largest = sorted(decision.weights.items(), key=lambda item: (-item[1], item[0]))
    rows = [(symbol, plain(weight), f"{decision.closes[symbol]:,f}") for symbol, weight in largest]
    console.table(("symbol", "weight", "close"), rows, right=("weight", "close"))
    console.result(f"bars {decision.bars_digest}")


def plain(number: Decimal) -> str:
    """Without trailing zeros or exponent: `0.5`, `1`."""
    return f"{number.normalize():f}"
