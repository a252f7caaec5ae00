"""Parsing strategy files: what is accepted, which tree results, and where errors point."""

import gc

import pytest

from the_alchemiser.shared.symphony import SymphonyError, parse, render
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Comparison,
    Compound,
    Condition,
    CurrentPrice,
    Empty,
    Filter,
    Frequency,
    Group,
    If,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Number,
    Place,
    Select,
    Threshold,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)

HEAD = '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily}\n'
SPY = '(asset "SPY" nil)'


def file_of(node: str) -> str:
    return f"{HEAD}{node})"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("percentage-price-oscillator", "{:short-window 12, :long-window 26}"),
        ("percentage-price-oscillator-signal", "{:short-window 12, :long-window 26, :smooth-window 9}"),
    ],
)
def test_parse_unimplemented_is_the_indicator_that_it_names(name: str, settings: str) -> None:
    text = file_of(f'(if (< (NAME "QQQ" {settings}) 0) [{SPY}] [(filter (NAME {settings}) (select-top 1) [{SPY}])])')

    assert parse(text.replace("NAME", f"(unimplemented :{name})")) == parse(text.replace("NAME", name))


def test_parse_whole_grammar_puts_children_before_parents() -> None:
    text = file_of(
        """(weight-specified
             0.5 (if (>= (rsi "QQQ" {:window 10}) 30.5) [(asset "QQQ" "Invesco")] [(group "Safe" [(asset "TLT" nil)])])
             0.25 (filter (percentage-price-oscillator {:short-window 3, :long-window 5}) (select-bottom 1)
                     [(asset "TLT" nil) (asset "QQQ" "Invesco")])
             0.25 (weight-equal [(weight-inverse-volatility 20 [(asset "TLT" nil)])]))"""
    )

    symphony = parse(text)

    rsi = IndicatorOf(Indicator(IndicatorKind.RSI, (10,)), "QQQ")
    assert (symphony.name, symphony.asset_class, symphony.rebalance) == ("S", "EQUITIES", Frequency.DAILY)
    assert symphony.nodes == (
        Asset("QQQ", "Invesco"),
        Asset("TLT", None),
        Group("Safe", (1,)),
        If(Condition(Comparison.GREATER_OR_EQUAL, rsi, Number(30.5)), (0,), (2,)),
        Filter(Indicator(IndicatorKind.PPO, (3, 5)), Select.BOTTOM, 1, (1, 0)),
        WeightInverseVolatility(20, (1,)),
        WeightEqual((5,)),
        WeightSpecified((0.5, 0.25, 0.25), (3, 4, 6)),
    )


def test_parse_compound_condition_keeps_its_parts_in_order() -> None:
    above, below = (
        Condition(Comparison.GREATER, CurrentPrice("A"), Number(1)),
        Condition(Comparison.LESS, Number(3), Number(2)),
    )
    text = (
        '(if (any (> (current-price "A") 1) (all (< 3 2) (> (current-price "a") 1)) (all (< 3 2))) [(empty)] [(empty)])'
    )

    (cash, fork) = parse(file_of(text)).nodes

    assert cash == Empty()
    assert isinstance(fork, If)
    assert fork == If(
        Compound(
            Junction.ANY,
            (above, Compound(Junction.ALL, (below, above)), Compound(Junction.ALL, (below,))),
        ),
        (0,),
        (0,),
    )
    assert str(fork.condition) == "any of (current-price A > 1, all of (3 < 2, current-price A > 1), all of (3 < 2))"


@pytest.mark.parametrize(("words", "meaning"), [("or", "any"), ("and", "all")])
def test_parse_other_words_for_any_and_all(words: str, meaning: str) -> None:
    fork = f"(if (%s (> 1 2) (< 1 2)) [{SPY}] [(empty)])"

    assert parse(file_of(fork % words)) == parse(file_of(fork % meaning))
    assert f"({meaning} (> 1 2) (< 1 2))" in render(parse(file_of(fork % words)))


def test_parse_any_and_all_are_different_conditions() -> None:
    fork = f"(if (%s (> 1 2) (< 1 2)) [{SPY}] [(empty)])"

    assert parse(file_of(fork % "any")) != parse(file_of(fork % "all"))


def test_parse_cash_is_one_node_wherever_it_stands() -> None:
    symphony = parse(file_of(f"(weight-equal [(empty)\n {SPY} (empty)])"))

    assert symphony.nodes == (Empty(), Asset("SPY", None), WeightEqual((0, 1, 0)))
    assert symphony.nodes[0].place == Place(2, 16)
    assert (Empty() == Asset("SPY", None), hash(Empty()) == hash(Empty(Place(1, 1)))) == (False, True)


def test_parse_threshold_keeps_its_points() -> None:
    symphony = parse(f'(defsymphony "S" {{:asset-class "EQUITIES", :rebalance-threshold 0.05}} {SPY})')

    assert symphony.rebalance == Threshold(0.05)


def test_parse_repeated_subtrees_become_one_node() -> None:
    symphony = parse(file_of(f'(weight-equal [{SPY} ; again\n {SPY}, (asset "spy" nil)])'))

    assert symphony.nodes == (Asset("SPY", None), WeightEqual((0, 0, 0)))


def test_parse_node_has_the_place_of_its_first_occurrence() -> None:
    symphony = parse(file_of(f"  (weight-equal [{SPY}\n{SPY}])"))

    assert [node.place for node in symphony.nodes] == [Place(2, 18), Place(2, 3)]


def test_parse_node_inside_a_form_without_blocks_has_its_own_place() -> None:
    symphony = parse(file_of('(weight-specified 0.5 (asset "SPY" nil)\n    0.5 (asset "TLT" nil))'))

    assert [node.place for node in symphony.nodes] == [Place(2, 23), Place(3, 9), Place(2, 1)]


def test_parse_trees_that_differ_only_in_places_are_equal() -> None:
    assert parse(file_of(f"(weight-equal [{SPY}])")) == parse(file_of(f"\n\n(weight-equal [  {SPY}])"))


def test_parse_string_with_escapes_and_brackets_keeps_its_text() -> None:
    symphony = parse(file_of(f'(group "a \\"b\\" (c] {{ ;\\n\\u00e9\nd" [{SPY}])'))

    assert symphony.nodes[-1] == Group('a "b" (c] { ;\né\nd', (0,))


def test_parse_condition_accepts_prices_on_both_sides() -> None:
    symphony = parse(file_of(f'(if (= (current-price "BRK/B") (current-price "EQUITIES::SPY//USD")) [{SPY}] [{SPY}])'))

    node = symphony.nodes[-1]
    assert isinstance(node, If)
    assert node.condition == Condition(Comparison.EQUAL, CurrentPrice("BRK.B"), CurrentPrice("SPY"))


@pytest.mark.parametrize(
    ("written", "value"),
    [("5", 5), ("-1.25", -1.25), ("+3", 3), (".5", 0.5), ("5.", 5), ("1e-3", 0.001), ("2.5E+1", 25), ("007", 7)],
)
def test_parse_number_spellings_keep_their_value(written: str, value: float) -> None:
    symphony = parse(file_of(f"(if (> {written} 1) [{SPY}] [{SPY}])"))

    node = symphony.nodes[-1]
    assert isinstance(node, If)
    assert isinstance(node.condition, Condition)
    assert node.condition.left == Number(value)


@pytest.mark.parametrize("written", ["1_000", "0x10", "1/2", "5M", "1e", "--1", ".", "NaN", "inf", "1,5", "\uff15"])
def test_parse_malformed_number_is_refused(written: str) -> None:
    with pytest.raises(SymphonyError):
        parse(file_of(f"(if (> {written} 1) [{SPY}] [{SPY}])"))


def test_parse_commas_are_blanks_and_blanks_are_optional() -> None:
    text = file_of('(if(>(rsi"SPY"{:window,10}),50)[(asset"SPY"nil)][,(asset ,"TLT", "Bonds"),])')

    spaced = '(if (> (rsi "SPY" {:window 10}) 50) [(asset "SPY" nil)] [(asset "TLT" "Bonds")])'
    assert parse(text) == parse(file_of(spaced))


def test_parse_byte_order_mark_and_carriage_returns_are_blanks() -> None:
    text = file_of(f"(weight-equal\n [{SPY}])")

    assert parse("\ufeff" + text.replace("\n", "\r\n")) == parse(text)


def test_parse_forms_with_the_same_head_stay_distinct() -> None:
    # More forms than the parser keeps per head, each occurring twice.
    node = '(group "same" [(weight-equal [{0} (asset "X{1}" nil)])])'.format
    nodes = [node(SPY, number) for number in range(20)]

    symphony = parse(file_of(f"(weight-equal [{' '.join(nodes * 2)}])"))

    root = symphony.nodes[-1]
    assert isinstance(root, WeightEqual)
    assert root.children[:20] == root.children[20:]
    assert len(set(root.children)) == 20


def test_parse_forms_too_long_to_recognise_become_one_node() -> None:
    node = f"(weight-equal [{' '.join(f'(asset "X{number}" nil)' for number in range(400))}])"

    symphony = parse(file_of(f"(weight-equal [{node} {node}])"))

    assert symphony.nodes[-1] == WeightEqual((400, 400))


def test_parse_restores_the_state_of_the_garbage_collector() -> None:
    gc.disable()
    try:
        parse(file_of(SPY))

        assert not gc.isenabled()
    finally:
        gc.enable()
    parse(file_of(SPY))
    assert gc.isenabled()


def test_parse_nesting_of_5000_is_compared_hashed_and_rendered() -> None:
    depth = 5000
    text = file_of("(weight-equal [" * depth + SPY + "])" * depth)

    symphony = parse(text)

    assert len(symphony.nodes) == depth + 1
    assert parse(render(symphony)) == symphony
    assert hash(parse(text)) == hash(symphony)


def test_parse_two_megabytes_of_repetition_give_a_small_tree() -> None:
    node = f'(if (> (rsi "SPY" {{:window 10}}) 70) [{SPY}] [(group "bonds" [(asset "TLT" "Treasuries")])])'
    text = file_of(f"(weight-equal [{' '.join([node] * 22_000)}])")

    symphony = parse(text)

    assert len(text) > 2_000_000
    assert len(symphony.nodes) == 5


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        (f"(weight-equal [{SPY})])", (2, 33), "found ), expected ] to close the [ of line 2, column 15"),
        (f"(weight-equal [{SPY}]", (1, 1), "found the end of the file, expected ) to close this ("),
        (f"{SPY}) (asset 5 nil", (2, 27), "found 5, expected a symbol in quotes"),
        (f"{SPY}))", (2, 19), "found ), but no bracket is open here"),
        ('(asset "SPY', (2, 8), 'found an unterminated string, expected a closing "'),
        ("(asset SPY nil)", (2, 8), "found SPY, expected a symbol in quotes"),
        ('(asset "$PX" nil)', (2, 8), 'found "$PX", expected an equity symbol'),
        ('(asset "CRYPTO::BTC//USD" nil)', (2, 8), "expected an equity symbol"),
        ('(asset "SPY")', (2, 1), "found 1 argument, expected 2: (asset SYMBOL NAME|nil)"),
        ('(asset "SPY" nil 3)', (2, 18), "found 3, expected the end of (asset SYMBOL NAME|nil)"),
        (f'(bucket "x" [{SPY}])', (2, 2), "found bucket, expected an operator"),
        ("()", (2, 1), "found (), expected an operator after the bracket"),
        ("(weight-equal [])", (2, 15), "found an empty block, expected at least one node"),
        (f"(weight-equal {SPY})", (2, 15), "found a node (asset), expected a block [NODE …]"),
        (f"(weight-equal [{SPY} (> 1 2)])", (2, 34), "found a condition, expected a node"),
        (f"(weight-specified 0.5 {SPY} 0.4 {SPY})", (2, 1), "found weights that sum to 0.9, expected 1"),
        (f"(weight-specified 1.5 {SPY} -0.5 {SPY})", (2, 41), "found -0.5, expected a weight of at least 0"),
        (f"(weight-specified 1 {SPY} 0)", (2, 1), "found an unpaired weight or no weight"),
        (f"(weight-inverse-volatility 0 [{SPY}])", (2, 28), "found 0, expected a window, a whole number of at least 1"),
        (f"(filter (rsi {{:window 5}}) (select-top 0) [{SPY}])", (2, 39), "found 0, expected a number of candidates"),
        (f'(filter (rsi "SPY" {{:window 5}}) (select-top 1) [{SPY}])', (2, 9), "found an indicator of a symbol"),
        (
            f'(if (> (rsi "SPY" {{:window -3}}) 1) [{SPY}] [{SPY}])',
            (2, 28),
            "found :window -3, expected a whole number",
        ),
        (f'(if (> (rsi "SPY" {{:window 2.5}}) 1) [{SPY}] [{SPY}])', (2, 28), "found :window 2.5"),
        (f'(if (> (rsi "SPY" {{}}) 1) [{SPY}] [{SPY}])', (2, 19), "found no settings, expected {:window N}"),
        (f'(if (> (rsi "SPY") 1) [{SPY}] [{SPY}])', (2, 8), "found 1 argument, expected 2: (rsi SYMBOL {:window N})"),
        (f"(if (> (rsi {{:window 5}}) 1) [{SPY}] [{SPY}])", (2, 8), "found an indicator without a symbol"),
        (f'(if (> (rsi "SPY" 5) 1) [{SPY}] [{SPY}])', (2, 19), "found 5, expected {:window N}"),
        (f'(if (> (rsi "SPY" {{:window (> 1 2)}}) 1) [{SPY}] [{SPY}])', (2, 28), "expected the value of :window"),
        (f"(filter (rsi {{:window 5}}) 1 [{SPY}])", (2, 27), "found 1, expected (select-top N) or (select-bottom N)"),
        (f"(if (> 1e999 1) [{SPY}] [{SPY}])", (2, 8), "found 1e999, expected a number"),
        (f"(if (> 1 2) [{SPY}])", (2, 1), "found 2 arguments, expected 3"),
        (f"(if {SPY} [{SPY}] [{SPY}])", (2, 5), "found a node (asset), expected a condition"),
        (f'(group "\\q" [{SPY}])', (2, 8), "found a string with an unknown escape"),
        (f"(weight-equal [{SPY} {{:a}}])", (2, 35), "found :a without a value"),
    ],
)
def test_parse_invalid_file_reports_place_and_expectation(body: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(file_of(body), source="bad.clj")

    error = caught.value
    assert (error.line, error.column) == place
    assert message in error.message
    assert str(error).startswith(f"bad.clj:{place[0]}:{place[1]}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found an empty file, expected (defsymphony …)"),
        ("; only a comment", "found an empty file"),
        (f"{HEAD}{SPY}) {SPY}", "found text after (defsymphony …), expected the end of the file"),
        (SPY, "found a node (asset), expected (defsymphony …)"),
        (f'(defsymphony "S" {{}} {SPY})', "found no settings, expected {:asset-class STRING"),
        (
            f'(defsymphony "S" {{:asset-class "E", :rebalance-frequency :hourly}} {SPY})',
            "found :rebalance-frequency :hourly",
        ),
        (f'(defsymphony "S" {{:asset-class "E", :rebalance-threshold 5}} {SPY})', "found :rebalance-threshold 5"),
        (
            f'(defsymphony "S" {{:asset-class E, :rebalance-frequency :daily}} {SPY})',
            "expected the asset class in quotes",
        ),
        (
            f'(defsymphony "S" {{:asset-class "E", :rebalance-frequency :daily, :rebalance-threshold 0.1}} {SPY})',
            ":rebalance-frequency KEYWORD | :rebalance-threshold NUMBER",
        ),
    ],
)
def test_parse_invalid_head_is_refused(text: str, message: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(text)

    assert message in caught.value.message


def test_symphony_error_shows_the_line_with_a_caret() -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(file_of("\t(asset 5 nil)"))

    assert str(caught.value).splitlines()[1:] == ["   (asset 5 nil))", "          ^"]


def test_symphony_error_in_a_long_line_shows_an_excerpt() -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(file_of(f"(weight-equal [{SPY * 1000} 5])"))

    shown, caret = caught.value.excerpt.splitlines()
    assert len(shown) < 140
    assert shown[caret.index("^")] == "5"
