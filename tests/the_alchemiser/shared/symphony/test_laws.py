"""Laws of every file: layout carries no meaning, places are correct, errors lie inside the text."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.corpus import generate, symbol_names
from tests.the_alchemiser.strategy_v2.symphonies import FILES
from the_alchemiser.shared.symphony import Symphony, SymphonyError, parse, render
from the_alchemiser.shared.symphony.tokens import TOKEN
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Empty,
    Filter,
    Group,
    If,
    Node,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)

OPERATORS = {
    Asset: "asset",
    Empty: "empty",
    WeightEqual: "weight-equal",
    WeightSpecified: "weight-specified",
    WeightInverseVolatility: "weight-inverse-volatility",
    Group: "group",
    If: "if",
    Filter: "filter",
}
CORPUS = generate(seed=7, target_bytes=150_000, symbols=symbol_names(60), depth=120, distinct=600)
GAPS = (" ", "  ", "\n", "\n\t ", " , ", ' ; a comment ( [ "\n', "\r\n   ")


def tokens_of(text: str) -> list[str]:
    return [match[1] for match in TOKEN.finditer(text) if match[1]]


def with_random_gaps(text: str, chance: Random) -> str:
    """Return the same tokens with random gaps; optional gaps are sometimes left out."""
    out: list[str] = []
    for token in tokens_of(text):
        touching = out and (token in "()[]{}" or out[-1] in "([{")
        out.append("" if touching and chance.random() < 0.5 else chance.choice(GAPS))
        out.append(token)
    return "".join(out)


def place_of_error(text: str) -> tuple[int, int] | None:
    try:
        parse(text)
    except SymphonyError as error:
        return error.line, error.column
    return None


def children_of(node: Node) -> tuple[int, ...]:
    match node:
        case Asset() | Empty():
            return ()
        case Group():
            return node.body
        case If():
            return (*node.then, *node.otherwise)
        case Filter():
            return node.candidates
        case _:
            return node.children


def depth_of(symphony: Symphony) -> int:
    depths: list[int] = []
    for node in symphony.nodes:
        depths.append(1 + max((depths[child] for child in children_of(node)), default=0))
    return depths[-1]


@settings(max_examples=80)
@given(FILES, st.randoms())
def test_parse_ignores_layout_and_comments(text: str, chance: Random) -> None:
    assert parse(with_random_gaps(text, chance)) == parse(text)


@settings(max_examples=80)
@given(FILES, st.randoms())
def test_parse_place_of_every_node_is_at_its_operator(text: str, chance: Random) -> None:
    written = with_random_gaps(text, chance)
    lines = written.split("\n")

    for node in parse(written).nodes:
        line, column = node.place
        rest = "\n".join(lines[line - 1 :])[column - 1 :]
        assert tokens_of(rest[:400])[:2] == ["(", OPERATORS[type(node)]]


@settings(max_examples=300)
@given(FILES, st.randoms())
def test_parse_damaged_text_reports_a_place_inside_the_text(text: str, chance: Random) -> None:
    damaged = with_random_gaps(text, chance)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(damaged))
        damaged = damaged[:at] + chance.choice(("", *'()[]{}":;, \n0-')) + damaged[at + chance.randint(0, 3) :]

    place = place_of_error(damaged)

    lines = [*damaged.split("\n"), ""]
    assert place is None or 1 <= place[0] < len(lines)
    assert place is None or 1 <= place[1] <= len(lines[place[0] - 1]) + 1


@settings(max_examples=100)
@given(st.text())
def test_parse_any_short_text_is_refused_with_a_place(text: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(text)

    assert (caught.value.line, caught.value.column) >= (1, 1)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3000))
def test_render_generated_strategies_round_trip(seed: int, depth: int) -> None:
    symphony = parse(generate(seed=seed, target_bytes=20_000, symbols=symbol_names(60), depth=depth, distinct=300))

    assert parse(render(symphony)) == symphony


def test_parse_repetitive_text_round_trips() -> None:
    symphony = parse(CORPUS)

    assert parse(with_random_gaps(CORPUS, Random(3))) == symphony  # noqa: S311 - nothing secret
    assert parse(render(symphony)) == symphony


def test_generate_is_deterministic_and_has_the_requested_size() -> None:
    symphony = parse(CORPUS)

    assert generate(seed=7, target_bytes=150_000, symbols=symbol_names(60), depth=120, distinct=600) == CORPUS
    assert abs(len(CORPUS) - 150_000) < 15_000
    assert 120 <= depth_of(symphony) <= 125
    assert abs(len(symphony.nodes) - 600) < 120


def test_parse_ten_megabytes_with_nesting_of_5000() -> None:
    text = generate(seed=1, target_bytes=10_000_000, symbols=symbol_names(260), depth=5000)

    symphony = parse(text)

    assert len(text) > 9_500_000
    assert depth_of(symphony) >= 5000
