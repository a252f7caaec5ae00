"""The merge: exact sums, whatever the order of answers, and a named fault for every bad answer."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser import run_builders as make
from the_alchemiser.aggregator_v2.merge import Merged, conclude, merge
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Message, StrategyEvaluated
from the_alchemiser.shared.run.failures import Failure
from the_alchemiser.shared.run.runs import Run, RunItem

SYMBOLS = ("SPY", "TLT", "GLD", "BRK.B")


@st.composite
def shares_of_one(draw: st.DrawFn, count: int, digits: int) -> list[Decimal]:
    """Draw `count` decimals of `digits` digits, zero allowed, that sum to exactly 1."""
    cuts = sorted(draw(st.lists(st.integers(0, 10**digits), min_size=count - 1, max_size=count - 1)))
    edges = [0, *cuts, 10**digits]
    return [Decimal(high - low).scaleb(-digits) for low, high in pairwise(edges)]


@st.composite
def books(draw: st.DrawFn) -> tuple[dict[str, Decimal], dict[str, StrategyEvaluated]]:
    """Draw allocations of one to five strategies, and an answer of each at the engine's precision."""
    names = [f"strategy-{n}" for n in range(draw(st.integers(1, 5)))]
    allocations = dict(zip(names, draw(shares_of_one(len(names), 4)), strict=True))
    answers = {}
    for name in names:
        symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4, unique=True))
        *weights, cash = draw(shares_of_one(len(symbols) + 1, 9))
        evaluated = make.evaluated(name, {s: str(w) for s, w in zip(symbols, weights, strict=True)})
        answers[name] = evaluated.changed(cash=cash)
    return allocations, answers


def run_with(answers: dict[str, Message], allocations: dict[str, Decimal] | None = None) -> Run:
    store = make.evaluating(allocations=allocations)
    for name, answer in answers.items():
        store.put_once(make.RUN_ID, RunItem(f"STRATEGY#{name}", outbox.encode(answer)))
    return make.loaded(store)


def fault(answers: dict[str, Message]) -> Failure:
    conclusion = conclude(run_with(answers))
    assert isinstance(conclusion, Failure)
    return conclusion


@given(books())
def test_merge_weights_and_cash_sum_to_exactly_one(
    book: tuple[dict[str, Decimal], dict[str, StrategyEvaluated]],
) -> None:
    merged = merge(*book, as_of=make.AS_OF)

    assert sum(merged.weights.values()) + merged.cash == 1


@given(books())
def test_merge_contributions_sum_to_the_weights_exactly(
    book: tuple[dict[str, Decimal], dict[str, StrategyEvaluated]],
) -> None:
    allocations, answers = book

    merged = merge(allocations, answers, as_of=make.AS_OF)

    for symbol, weight in merged.weights.items():
        assert sum(shares.get(symbol, Decimal(0)) for shares in merged.contributions.values()) == weight
    for name, shares in merged.contributions.items():
        assert sum(shares.values()) == allocations[name] * (1 - answers[name].cash)


@given(books(), st.data())
def test_merge_does_not_depend_on_the_order_of_answers(
    book: tuple[dict[str, Decimal], dict[str, StrategyEvaluated]], data: st.DataObject
) -> None:
    allocations, answers = book
    shuffled = dict(data.draw(st.permutations(list(answers.items()))))

    again = merge(allocations, shuffled, as_of=make.AS_OF)

    assert repr(again) == repr(merge(allocations, answers, as_of=make.AS_OF))


def test_merge_leaves_out_symbols_of_weight_zero() -> None:
    answers = {"only": make.evaluated("only", {"SPY": "1", "TLT": "0"})}

    merged = merge({"only": Decimal(1)}, answers, as_of=make.AS_OF)

    assert merged.weights == {"SPY": Decimal(1)}
    assert merged.contributions == {"only": {"SPY": Decimal(1)}}


def test_merge_adds_up_the_cash_of_the_strategies() -> None:
    half = make.evaluated("bold", {"SPY": "0.5"}).changed(cash=Decimal("0.5"))
    everything = make.evaluated("calm", {}).changed(cash=Decimal(1))

    merged = merge(
        {"bold": Decimal("0.6"), "calm": Decimal("0.4")}, {"calm": everything, "bold": half}, as_of=make.AS_OF
    )

    assert (merged.weights, merged.cash) == ({"SPY": Decimal("0.30")}, Decimal("0.70"))
    assert merged.contributions == {"bold": {"SPY": Decimal("0.30")}, "calm": {}}


def test_merge_of_closes_that_differ_keeps_the_first_by_name() -> None:
    first = make.evaluated("bold", {"SPY": "1"}).changed(closes={"SPY": Decimal(420)})
    second = make.evaluated("calm", {"SPY": "1"}).changed(closes={"SPY": Decimal(421)})

    merged = merge(make.HALVES, {"calm": second, "bold": first}, as_of=make.AS_OF)

    assert merged.closes == {"SPY": Decimal(420)}


def test_conclude_while_an_answer_is_missing_is_none() -> None:
    assert conclude(run_with({"calm": make.evaluated("calm", {"SPY": "1"})})) is None


def test_conclude_with_all_answers_is_the_signal() -> None:
    run = run_with({"calm": make.evaluated("calm", {"SPY": "1"}), "bold": make.evaluated("bold", {"TLT": "1"})})

    conclusion = conclude(run)

    assert isinstance(conclusion, Merged)
    assert conclusion.weights == {"SPY": Decimal("0.5"), "TLT": Decimal("0.5")}


def test_conclude_with_a_failed_strategy_names_it_and_the_reason() -> None:
    failure = fault({"calm": make.strategy_failed("calm")})

    assert (failure.reason, failure.missing) == ("strategy_failed", ("calm",))
    assert failure.detail == "calm: too_little_history: SPY: 120 bars present, 200 needed"


def test_conclude_with_a_differing_as_of_names_both_days() -> None:
    failure = fault({"calm": make.evaluated("calm", {"SPY": "1"}, as_of=date(2022, 3, 14))})

    assert failure.reason == "as_of_differs"
    assert "2022-03-14" in failure.detail
    assert "2022-03-15" in failure.detail


def test_conclude_with_an_unknown_strategy_names_it() -> None:
    failure = fault({"stranger": make.evaluated("stranger", {"SPY": "1"})})

    assert failure.reason == "unknown_strategy"
    assert "stranger" in failure.detail


@pytest.mark.parametrize(
    ("weights", "detail"),
    [
        ({"SPY": "0.999999999"}, "calm: weights and cash must sum to 1; they sum to 0.999999999"),
        ({"SPY": "0.6", "TLT": "0.400000000001"}, "calm: weights and cash must sum to 1; they sum to 1.000000000001"),
        ({}, "calm: weights and cash must sum to 1; they sum to 0"),
        (
            {"SPY": "1.000000000001", "TLT": "-0.000000000001"},
            "calm: weights must be fractions from 0 to 1 of at most 12 places; SPY has 1.000000000001",
        ),
        (
            {"SPY": "1", "AGG": "-0.000000000001"},
            "calm: weights must be fractions from 0 to 1 of at most 12 places; AGG has -1E-12",
        ),
        (
            {"SPY": "0.9999999999999", "TLT": "0.0000000000001"},
            "calm: weights must be fractions from 0 to 1 of at most 12 places; SPY has 0.9999999999999",
        ),
    ],
)
def test_conclude_with_invalid_weights_fails(weights: dict[str, str], detail: str) -> None:
    failure = fault({"calm": make.evaluated("calm", weights)})

    assert (failure.reason, failure.detail, failure.missing) == ("weights_invalid", detail, ("calm",))


@pytest.mark.parametrize(
    ("weights", "cash", "detail"),
    [
        ({"SPY": "0.5"}, "0.4", "calm: weights and cash must sum to 1; they sum to 0.9"),
        ({"SPY": "1"}, "0.000000000001", "calm: weights and cash must sum to 1; they sum to 1.000000000001"),
        (
            {"SPY": "1"},
            "-0.1",
            "calm: weights must be fractions from 0 to 1 of at most 12 places; cash has -0.1",
        ),
    ],
)
def test_conclude_with_invalid_cash_fails(weights: dict[str, str], cash: str, detail: str) -> None:
    failure = fault({"calm": make.evaluated("calm", weights).changed(cash=Decimal(cash))})

    assert (failure.reason, failure.detail) == ("weights_invalid", detail)


@pytest.mark.parametrize("weights", [{"SPY": "0.6"}, {"SPY": "0.6", "TLT": "0"}, {}])
def test_conclude_accepts_weights_and_cash_that_sum_to_one(weights: dict[str, str]) -> None:
    cash = 1 - sum(map(Decimal, weights.values()), Decimal(0))
    answer = make.evaluated("only", weights).changed(cash=cash)

    conclusion = conclude(run_with({"only": answer}, {"only": Decimal(1)}))

    assert isinstance(conclusion, Merged)
    assert conclusion.cash == cash


@pytest.mark.parametrize(
    "weights", [{"SPY": "1", "TLT": "0"}, {"SPY": "0.000000000001", "TLT": "0.999999999999"}, {"SPY": "1E+0"}]
)
def test_conclude_accepts_weights_at_the_bounds(weights: dict[str, str]) -> None:
    run = run_with({"only": make.evaluated("only", weights)}, {"only": Decimal(1)})

    assert isinstance(conclude(run), Merged)


@pytest.mark.parametrize(
    ("closes", "detail"),
    [
        ({"SPY": "0", "TLT": "1"}, "calm: closes must be positive; SPY has 0"),
        ({"SPY": "1", "TLT": "1", "XYZ": "-0.01"}, "calm: closes must be positive; XYZ has -0.01"),
        ({"TLT": "1"}, "calm: SPY: a weight without a close"),
        ({}, "calm: SPY, TLT: a weight without a close"),
    ],
)
def test_conclude_with_invalid_closes_fails(closes: dict[str, str], detail: str) -> None:
    answer = make.evaluated("calm", {"SPY": "0.5", "TLT": "0.5", "GLD": "0"})
    prices = {symbol: Decimal(close) for symbol, close in closes.items()}

    failure = fault({"calm": answer.changed(closes=prices)})

    assert (failure.reason, failure.detail, failure.missing) == ("closes_invalid", detail, ("calm",))


def test_conclude_needs_no_close_of_a_symbol_without_weight() -> None:
    answer = make.evaluated("only", {"SPY": "1", "GLD": "0"}).changed(closes={"SPY": Decimal("0.0001")})

    assert isinstance(conclude(run_with({"only": answer}, {"only": Decimal(1)})), Merged)
