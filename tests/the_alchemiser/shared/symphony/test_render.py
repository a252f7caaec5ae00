"""Rendering trees as text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.the_alchemiser.strategy_v2.symphonies import FILES
from the_alchemiser.shared.symphony import parse, render
from the_alchemiser.shared.symphony.tree import Asset, Frequency, Group, Symphony, Threshold, WeightSpecified

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=60)
@given(FILES)
def test_render_any_strategy_round_trips(text: str) -> None:
    symphony = parse(text)

    assert parse(render(symphony)) == symphony


@given(TEXTS, TEXTS, st.one_of(st.none(), TEXTS), st.floats(0.001, 0.999))
def test_render_any_names_and_numbers_round_trip(name: str, group: str, asset: str | None, part: float) -> None:
    nodes = (Asset("SPY", asset), Group(group, (0,)), WeightSpecified((part, 1 - part), (0, 1)))
    symphony = Symphony(name, group, Threshold(part), nodes)

    assert parse(render(symphony)) == symphony


def test_render_puts_one_node_on_each_line() -> None:
    symphony = Symphony("S", "EQUITIES", Frequency.DAILY, (Asset("SPY", None), Group("G", (0,))))

    assert render(symphony) == (
        '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily}\n'
        '  (group "G" [\n'
        '    (asset "SPY" nil)]))\n'
    )
