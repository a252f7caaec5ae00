"""Every kind of invalid file, with the complete message that its author sees."""

import pytest

from the_alchemiser.shared.symphony import SymphonyError, parse

HEAD = '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily}\n'
A = '(asset "A" nil)'

GOLDEN = {
    "bracket closed by another": (
        f"  (weight-equal [{A})])",
        """2:33: found ), expected ] to close the [ of line 2, column 17
    (weight-equal [(asset "A" nil))]))
                                  ^""",
    ),
    "bracket too many": (
        f" {A}))",
        """2:18: found ), but no bracket is open here
   (asset "A" nil))))
                   ^""",
    ),
    "bracket never closed": (
        f" (weight-equal [{A}]",
        """1:1: found the end of the file, expected ) to close this (
  (defsymphony "S" {:asset-class "EQUITIES", :rebalance-freque
  ^""",
    ),
    "string never closed": (
        ' (asset "A nil)',
        """2:9: found an unterminated string, expected a closing "
   (asset "A nil))
          ^""",
    ),
    "operator misspelt": (
        f" (wieght-equal [{A}])",
        """2:3: found wieght-equal, expected an operator; the nearest is weight-equal
   (wieght-equal [(asset "A" nil)]))
    ^""",
    ),
    "indicator misspelt": (
        f' (if (> (RSI "A" {{:window 5}}) 1) [{A}] [{A}])',
        """2:10: found RSI, expected an operator; the nearest is rsi
   (if (> (RSI "A" {:window 5}) 1) [(asset "A" nil)] [(asset "A" nil)])
           ^""",
    ),
    "argument too many": (
        ' (asset "A" nil nil)',
        """2:17: found nil, expected the end of (asset SYMBOL NAME|nil)
   (asset "A" nil nil))
                  ^""",
    ),
    "argument missing": (
        f" (if (> 1 2) [{A}])",
        """2:2: found 2 arguments, expected 3: (if CONDITION [NODE …] [NODE …])
   (if (> 1 2) [(asset "A" nil)]))
   ^""",
    ),
    "window of zero": (
        f' (if (> (rsi "A" {{:window 0}}) 1) [{A}] [{A}])',
        """2:27: found :window 0, expected a whole number of at least 1
   (if (> (rsi "A" {:window 0}) 1) [(asset "A" nil)] [(asset "A" nil)]))
                            ^""",
    ),
    "window below zero": (
        f" (weight-inverse-volatility -5 [{A}])",
        """2:29: found -5, expected a window, a whole number of at least 1
   (weight-inverse-volatility -5 [(asset "A" nil)]))
                              ^""",
    ),
    "window in quotes": (
        f' (filter (rsi {{:window "5"}}) (select-top 1) [{A}])',
        """2:24: found :window "5", expected a whole number of at least 1
   (filter (rsi {:window "5"}) (select-top 1) [(asset "A" nil)]))
                         ^""",
    ),
    "window missing": (
        f" (filter (percentage-price-oscillator {{:window 5}}) (select-top 1) [{A}])",
        """2:39: found :window, expected {:short-window N :long-window N}
   (filter (percentage-price-oscillator {:window 5}) (select-top 1) [(asset "A" nil)]))
                                        ^""",
    ),
    "weights not summing to 1": (
        f" (weight-specified 0.5 {A} 0.51 {A})",
        """2:2: found weights that sum to 1.01, expected 1
   (weight-specified 0.5 (asset "A" nil) 0.51 (asset "A" nil)))
   ^""",
    ),
    "weights with a rest": (
        f" (weight-specified 0.5 {A})",
        """2:2: found weights that sum to 0.5, expected 1; give the rest to (empty) to keep it in cash
   (weight-specified 0.5 (asset "A" nil)))
   ^""",
    ),
    "weight below zero": (
        f" (weight-specified 1.5 {A} -0.5 {A})",
        """2:40: found -0.5, expected a weight of at least 0
   (weight-specified 1.5 (asset "A" nil) -0.5 (asset "A" nil)))
                                         ^""",
    ),
    "selection of none": (
        f" (filter (rsi {{:window 5}}) (select-top 0) [{A}])",
        """2:40: found 0, expected a number of candidates, a whole number of at least 1
   (filter (rsi {:window 5}) (select-top 0) [(asset "A" nil)]))
                                         ^""",
    ),
    "block without nodes": (
        ' (group "g" [])',
        """2:13: found an empty block, expected at least one node
   (group "g" []))
              ^""",
    ),
    "symbol of no equity": (
        ' (asset "CRYPTO::BTC//USD" nil)',
        """2:9: found "CRYPTO::BTC//USD", expected an equity symbol
   (asset "CRYPTO::BTC//USD" nil))
          ^""",
    ),
    "digits of another script": (
        f" (if (> ٣ 1) [{A}] [{A}])",
        """2:9: found ٣, expected a number, (current-price SYMBOL) or (INDICATOR SYMBOL {…})
   (if (> ٣ 1) [(asset "A" nil)] [(asset "A" nil)]))
          ^""",
    ),
    "condition that is none": (
        f' (if (any (> 1 2) (rsi "A" {{:window 5}})) [{A}] [{A}])',
        """2:19: found an indicator of a symbol, expected a condition: (COMPARISON VALUE VALUE), (any …) or (all …)
   (if (any (> 1 2) (rsi "A" {:window 5})) [(asset "A" nil)] [(asset "A" nil)]))
                    ^""",
    ),
    "combination of nothing": (
        f" (if (all) [{A}] [{A}])",
        """2:6: found (all) without a condition, expected (all CONDITION …)
   (if (all) [(asset "A" nil)] [(asset "A" nil)]))
       ^""",
    ),
    "condition as a node": (
        " (all (> 2 1))",
        """2:2: found a condition, expected a node
   (all (> 2 1)))
   ^""",
    ),
    "cash with an argument": (
        ' (empty "USD")',
        """2:9: found "USD", expected the end of (empty)
   (empty "USD"))
          ^""",
    ),
    "MACD": (
        f' (if (> (moving-average-convergence-divergence "A" {{:window 5}}) 1) [{A}] [{A}])',
        """2:10: found moving-average-convergence-divergence; MACD and Bollinger bands are not supported
   (if (> (moving-average-convergence-divergence "A" {:window 5}) 1) [(
           ^""",
    ),
    "Bollinger band": (
        f" (filter (Lower-Bollinger {{:window 5}}) (select-top 1) [{A}])",
        """2:11: found Lower-Bollinger; MACD and Bollinger bands are not supported
   (filter (Lower-Bollinger {:window 5}) (select-top 1) [(asset "A" nil)
            ^""",
    ),
    "half of a surrogate pair": (
        f' (group "\\ud800" [{A}])',
        """2:9: found a string with an unknown escape: "\\ud800"
   (group "\\ud800" [(asset "A" nil)]))
          ^""",
    ),
}


@pytest.mark.parametrize(("body", "message"), GOLDEN.values(), ids=GOLDEN)
def test_parse_invalid_body_reports_what_is_wrong_and_where(body: str, message: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(f"{HEAD}{body})", source="bad.clj")

    assert str(caught.value) == f"bad.clj:{message}"


@pytest.mark.parametrize(
    ("settings", "column", "message"),
    [
        (':asset-class "E", :rebalance-threshold 5', 58, "found :rebalance-threshold 5, expected weight points"),
        (':asset-class "E", :rebalance-frequency :hourly', 58, "found :rebalance-frequency :hourly, expected one of"),
        (":asset-class E, :rebalance-frequency :daily", 32, "found :asset-class E, expected the asset class in quotes"),
        (':asset-class "\\q", :rebalance-frequency :daily', 32, 'unknown escape: "\\q"'),
        (':asset-class "E"', 18, "found :asset-class, expected {:asset-class STRING"),
        (':asset-class "E" :asset-class "E" :rebalance-frequency :daily', 18, "found :asset-class :asset-class"),
        ('"E"', 19, 'found "E", expected a keyword'),
    ],
)
def test_parse_invalid_settings_report_their_column(settings: str, column: int, message: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(f'(defsymphony "S" {{{settings}}} {A})')

    assert (caught.value.line, caught.value.column) == (1, column)
    assert message in caught.value.message


def test_parse_unknown_operator_without_a_near_match_lists_all() -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(f"{HEAD}(zzz 1))")

    assert "expected an operator: one of defsymphony, asset, empty, weight-equal" in caught.value.message


@pytest.mark.parametrize("text", ['{"step": "root"}', '\ufeff \n[ {"id": 1}]', "{}", "[]", "[[1]]", '["a"]'])
def test_parse_json_names_the_command_that_converts_it(text: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(text, source="my export.json")

    assert str(caught.value) == (
        "my export.json:1:1: found JSON, expected (defsymphony …); "
        "if it is an export of Composer, run inv strategies.import 'my export.json'"
    )


@pytest.mark.parametrize("text", ["[(weight-equal)]", "{:a 1}", "(defsymphony {})"])
def test_parse_other_brackets_are_not_taken_for_json(text: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(text)

    assert (caught.value.fix, "JSON" in str(caught.value)) == ("", False)


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        (":macd", 23, "found :macd, expected an indicator that is supported here: :percentage-price-oscillator, :perc"),
        (":rsi", 23, "found :rsi, expected an indicator"),
        ("(rsi {:window 5})", 23, "found an indicator without a symbol, expected an indicator"),
        ("", 8, "found 0 arguments, expected 1: (unimplemented :INDICATOR)"),
        (":a :b", 26, "found :b, expected the end of (unimplemented :INDICATOR)"),
    ],
)
def test_parse_unimplemented_indicator_that_is_unknown_is_named(name: str, column: int, message: str) -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(f'{HEAD}(if (<((unimplemented {name}) "A" {{:window 5}}) 0) [{A}] [{A}]))')

    assert (caught.value.line, caught.value.column) == (2, column)
    assert message in caught.value.message


def test_parse_unimplemented_without_a_symbol_is_no_condition_value() -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(f"{HEAD}(if (< (unimplemented :percentage-price-oscillator) 0) [{A}] [{A}]))")

    assert caught.value.message == (
        "found (unimplemented …), expected a number, (current-price SYMBOL) or (INDICATOR SYMBOL {…})"
    )


def test_parse_error_after_a_comment_has_its_place_in_the_file() -> None:
    text = f'{HEAD}; "unbalanced ( in a comment\r\n\t  (weight-equal [{A}  ; first ]\n      (asset 7 nil)]))'

    with pytest.raises(SymphonyError) as caught:
        parse(text)

    assert (caught.value.line, caught.value.column) == (4, 14)
    assert caught.value.excerpt == "        (asset 7 nil)]))\n               ^"


def test_parse_error_after_a_multiline_string_has_its_place() -> None:
    with pytest.raises(SymphonyError) as caught:
        parse(f'{HEAD}(group "one\n    two" [{A}\n   (asset 7 nil)]))')

    assert (caught.value.line, caught.value.column) == (4, 11)


HOSTILE = {
    "opening brackets": "(" * 400_000,
    "opening blocks": "[" * 400_000,
    "closing brackets": ")" * 400_000,
    "quotes": '"' * 400_001,
    "escapes": '"' + '\\"' * 200_000,
    "comments": ";\n" * 200_000,
    "comments in strings": '";\n"' * 100_000,
    "line ends": "\n" * 400_000,
    "one word": "a" * 400_000,
    "backslashes": "\\" * 400_000,
    "one long form": f"(asset {'"x" ' * 100_000})",
    "words in brackets": "(a " * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_parse_hostile_text_is_refused_in_linear_time(text: str) -> None:
    # A quadratic parser would take minutes here, so the test suite would not finish.
    with pytest.raises(SymphonyError):
        parse(text)


@pytest.mark.parametrize("name", ["macd", "MACD-signal", "moving-average-convergence-divergence-signal", "bollinger"])
def test_parse_unsupported_indicator_is_named(name: str) -> None:
    with pytest.raises(SymphonyError, match=f"found {name}; MACD and Bollinger bands are not supported"):
        parse(f'{HEAD}(if (> ({name} "A" {{:window 5}}) 1) [{A}] [{A}]))')


@pytest.mark.parametrize("opener", ["(any ", "(all (any (> 2 1)) "])
def test_parse_conditions_nested_too_deep_are_refused(opener: str) -> None:
    assert parse(nested("(any ", 100)).nodes
    with pytest.raises(SymphonyError, match="found conditions nested more than 100 deep, expected at most that many"):
        parse(nested(opener, 101))


def nested(opener: str, depth: int) -> str:
    """Return a file whose condition is nested so deep."""
    return f"{HEAD}(if {opener * depth}(> 2 1){')' * depth} [{A}] [{A}]))"
