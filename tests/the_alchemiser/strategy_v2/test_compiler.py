"""Trees to programs: what is folded, merged, dropped and derived."""

from tests.the_alchemiser.strategy_v2.cases import asset
from tests.the_alchemiser.strategy_v2.symphonies import file_of
from the_alchemiser.shared.symphony import parse
from the_alchemiser.strategy_v2.compiler import compile_symphony
from the_alchemiser.strategy_v2.program import Choice, Fixed, Leaf, Program

A, B, C = map(asset, "ABC")


def program_of(node: str) -> Program:
    return compile_symphony(parse(file_of(node)))


def test_compile_assets_that_differ_in_name_only_are_one() -> None:
    program = program_of('(weight-equal [(asset "A" nil) (asset "A" "Alpha")])')

    assert program.operations == (Leaf("A"), Fixed((0, 0), (0.5, 0.5), "weight-equal"))


def test_compile_constant_condition_drops_the_dead_branch_and_its_needs() -> None:
    program = program_of(f'(if (> 1 2) [(if (> (rsi "C" {{:window 9}}) 1) [{A}] [{C}])] [{B}])')

    assert program.operations == (Leaf("B"), Fixed((0,), (1.0,), "if"))
    assert program.bars_needed == {"B": 1}


def test_compile_bars_needed_is_the_most_that_any_use_takes() -> None:
    node = f'(if (> (rsi "A" {{:window 10}}) (moving-average-price "A" {{:window 20}})) [{A}] [{B}])'

    assert program_of(node).bars_needed == {"A": 20, "B": 1}


def test_compile_bars_needed_adds_up_through_an_index() -> None:
    # Five returns of the group's index take it defined on six sessions; on the first of them the rsi needs eleven bars.
    inner = f'(group "g" [(if (> (rsi "A" {{:window 10}}) 50) [{A}] [{B}])])'

    program = program_of(f"(filter (cumulative-return {{:window 5}}) (select-top 1) [{inner} {C}])")

    assert program.bars_needed == {"A": 16, "B": 6, "C": 6}


def test_compile_streams_only_what_an_index_is_made_of() -> None:
    program = program_of(f'(weight-equal [(filter (rsi {{:window 5}}) (select-top 1) [(group "g" [{A}]) {B}]) {C}])')

    streamed = {program.operations[number].label for number in program.streamed}
    assert streamed == {"A", 'group "g"'}


def test_compile_filter_that_takes_all_needs_no_index() -> None:
    program = program_of(f'(filter (rsi {{:window 5}}) (select-top 2) [(group "g" [{A}]) {B}])')

    assert program.streamed == frozenset()
    assert program.bars_needed == {"A": 1, "B": 1}
    assert isinstance(program.operations[-1], Choice)
