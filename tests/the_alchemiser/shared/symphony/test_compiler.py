"""Compiling trees into programs: what is folded, merged, dropped and derived."""

import pytest

from benchmarks.corpus import generate, symbol_names
from tests.the_alchemiser.strategy_v2.cases import asset
from tests.the_alchemiser.strategy_v2.symphonies import file_of
from the_alchemiser.shared.symphony import parse, required_symbols
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.program import Cash, Choice, Fixed, Leaf, Program, Switch
from the_alchemiser.shared.symphony.tree import Place

A, B, C = map(asset, "ABC")


def program_of(node: str) -> Program:
    return compile_symphony(parse(file_of(node)))


def test_compile_assets_that_differ_only_in_name_become_one() -> None:
    program = program_of('(weight-equal [(asset "A" nil) (asset "A" "Alpha")])')

    assert program.operations == (Leaf("A"), Fixed((0, 0), (0.5, 0.5), "weight-equal"))


def test_compile_constant_condition_drops_branch_and_its_needs() -> None:
    program = program_of(f'(if (> 1 2) [(if (> (rsi "C" {{:window 9}}) 1) [{A}] [{C}])] [{B}])')

    assert program.operations == (Leaf("B"), Fixed((0,), (1.0,), "if"))
    assert program.bars_needed == {"B": 1}


def test_compile_bars_needed_is_the_maximum_over_all_uses() -> None:
    node = f'(if (> (rsi "A" {{:window 10}}) (moving-average-price "A" {{:window 20}})) [{A}] [{B}])'

    assert program_of(node).bars_needed == {"A": 20, "B": 1}


def test_compile_bars_needed_adds_up_through_an_index() -> None:
    # Five returns of the group's index need weights on six sessions; on the first of them the rsi needs eleven bars.
    inner = f'(group "g" [(if (> (rsi "A" {{:window 10}}) 50) [{A}] [{B}])])'

    program = program_of(f"(filter (cumulative-return {{:window 5}}) (select-top 1) [{inner} {C}])")

    assert program.bars_needed == {"A": 16, "B": 6, "C": 6}


def test_compile_streams_only_the_operations_of_an_index() -> None:
    program = program_of(f'(weight-equal [(filter (rsi {{:window 5}}) (select-top 1) [(group "g" [{A}]) {B}]) {C}])')

    streamed = {program.operations[number].label for number in program.streamed}
    assert streamed == {"A", 'group "g"'}


def test_compile_filter_that_takes_all_needs_no_index() -> None:
    program = program_of(f'(filter (rsi {{:window 5}}) (select-top 2) [(group "g" [{A}]) {B}])')

    assert program.streamed == frozenset()
    assert program.bars_needed == {"A": 1, "B": 1}
    assert isinstance(program.operations[-1], Choice)


@pytest.mark.parametrize(
    ("condition", "symbol"), [("= 1 1.000000001", "A"), ("> 1.00000001 1", "A"), ("<= 2 1", "B"), ("< -1 .5", "A")]
)
def test_compile_constant_condition_compares_eight_decimals(condition: str, symbol: str) -> None:
    assert program_of(f"(if ({condition}) [{A}] [{B}])").symbols == {symbol}


_LIVE = '(> (current-price "C") 1)'
_LIVELY = '(< (rsi "C" {:window 9}) 5)'


@pytest.mark.parametrize(
    ("condition", "folded"),
    [
        (f"(any (> 1 2) {_LIVE})", "if current-price C > 1"),
        (f"(all (< 1 2) {_LIVE} (< 1 2))", "if current-price C > 1"),
        (f"(any {_LIVE} (> 1 2) {_LIVELY})", "if any of (current-price C > 1, rsi C 9 < 5)"),
        (f"(all {_LIVE} (any (> 1 2) {_LIVELY}))", "if all of (current-price C > 1, rsi C 9 < 5)"),
        (f"(any {_LIVE} (all (< 1 2) (> 1 2)))", "if current-price C > 1"),
    ],
)
def test_compile_constant_parts_of_a_condition_are_dropped(condition: str, folded: str) -> None:
    root = program_of(f"(if {condition} [{A}] [{B}])").operations[-1]

    assert isinstance(root, Switch)
    assert root.label == folded


@pytest.mark.parametrize(
    ("condition", "symbol"),
    [
        (f"(any {_LIVE} (< 1 2))", "A"),
        (f"(all {_LIVE} (> 1 2))", "B"),
        ("(any (> 1 2) (> 1 3))", "B"),
        ("(all (< 1 2) (< 1 3))", "A"),
        (f"(all (any (< 1 2) {_LIVE}))", "A"),
        (f"(any (all (> 1 2) {_LIVE}))", "B"),
    ],
)
def test_compile_settled_compound_condition_drops_a_branch(condition: str, symbol: str) -> None:
    assert program_of(f"(if {condition} [{A}] [{B}])").bars_needed == {symbol: 1}


def test_compile_compound_condition_needs_the_bars_of_every_part() -> None:
    node = f'(if (any {_LIVE} (all (> 3 (rsi "D" {{:window 7}})) {_LIVELY})) [{A}] [(empty)])'

    assert program_of(node).bars_needed == {"A": 1, "C": 10, "D": 8}


def test_compile_cash_needs_no_bars_and_is_one_operation() -> None:
    program = program_of(f"(weight-equal [(empty) {A} (empty)])")

    assert program.operations == (Cash(), Leaf("A"), Fixed((0, 1, 0), (1 / 3, 1 / 3, 1 / 3), "weight-equal"))
    assert program.bars_needed == {"A": 1}
    assert (program.operations[0].label, program.operations[0].place) == ("cash", Place(1, 93))


def test_compile_unusable_window_in_a_part_is_refused() -> None:
    with pytest.raises(UnusableOptionError, match="a stdev with ddof 1 needs a window of at least 2"):
        program_of(f'(if (any {_LIVE} (all (> (stdev-return "A" {{:window 1}}) 1))) [{A}] [{B}])')


def test_compile_condition_without_effect_still_needs_bars() -> None:
    # Missing data for the condition is an error, even with two equal branches.
    program = program_of(f'(if (> (rsi "C" {{:window 9}}) (rsi "C" {{:window 9}})) [{A}] [{A}])')

    assert program.bars_needed == {"A": 1, "C": 10}


def test_compile_child_of_weight_zero_is_dropped() -> None:
    program = program_of(f"(weight-specified 0.5 {A} 0 {B} 0.5 {C})")

    assert program.operations == (Leaf("A"), Leaf("C"), Fixed((0, 1), (0.5, 0.5), "weight-specified"))


def test_compile_weights_within_the_tolerance_are_normalised() -> None:
    root = program_of(f"(weight-specified 0.3333333 {A} 0.3333333 {B} 0.3333333 {C})").operations[-1]

    assert isinstance(root, Fixed)
    assert sum(root.fractions) == pytest.approx(1, abs=1e-15)


def test_compile_equal_subtrees_become_one_operation() -> None:
    twin = f'(group "g" [(if (> (rsi "C" {{:window 9}}) 1) [{A}] [{B}])])'

    program = program_of(f"\n(weight-equal [{twin}\n {twin}])")

    assert len(program.operations) == 5
    assert program.operations[3].place == Place(2, 16)
    assert program.at(program.operations[3].place) == "<string>:2:16"


@pytest.mark.parametrize(
    "node",
    [
        f"(weight-inverse-volatility 1 [{A}])",
        f"(filter (stdev-price {{:window 1}}) (select-top 1) [{A} {B}])",
        f'(if (> (stdev-return "A" {{:window 1}}) 1) [{A}] [{B}])',
    ],
)
def test_compile_deviation_of_one_value_is_refused(node: str) -> None:
    with pytest.raises(UnusableOptionError, match="<string>:1:78: a stdev with ddof 1 needs a window of at least 2"):
        program_of(node)


def test_compile_population_deviation_of_one_return_is_allowed() -> None:
    symphony = parse(file_of(f"(weight-inverse-volatility 1 [{A}])"))

    assert compile_symphony(symphony, StrategyOptions(ddof=0)).bars_needed == {"A": 2}


def test_compile_large_file_has_only_distinct_operations() -> None:
    text = generate(seed=3, target_bytes=300_000, symbols=symbol_names(60), depth=150, distinct=800)
    symphony = parse(text)

    program = compile_symphony(symphony)

    assert len(program.operations) < 1.3 * len(symphony.nodes)
    assert len(set(program.operations)) == len(program.operations)
    assert program.symbols <= required_symbols(symphony)
    assert all(max(operation.children, default=-1) < at for at, operation in enumerate(program.operations))
