"""JSON is read at any depth, and a mistake in it is located in the text and in the tree."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.composer.json_text import JsonError, read_json, step_of_path

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**17), 10**17),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner)),
)
# An escape that starts like half a surrogate pair makes the slower reader take over.
PAIR = '"\\ud83d\\ude00"'


@given(VALUES, st.sampled_from((None, 1)))
def test_read_json_any_value_with_an_escaped_emoji_is_what_was_written(value: object, indent: int | None) -> None:
    text = json.dumps([value, value], indent=indent)

    assert read_json(f"[{PAIR}, {text}]") == ["😀", json.loads(text)]


def test_read_json_plain_text_is_what_was_written() -> None:
    assert read_json(' {"a": [1, 2.5, true, null, "x\\u00e9"]} ') == {"a": [1, 2.5, True, None, "xé"]}


@pytest.mark.parametrize("number", ["1" * 5000, "1e999"])
def test_read_json_huge_number_is_infinite(number: str) -> None:
    assert float(read_json(f"[{PAIR}, {number}]")[1]) == float("inf")


def test_read_json_whole_numbers_stay_whole_up_to_18_digits() -> None:
    values = read_json(f"[{PAIR}, -123456789012345678, 123456789012345678, 1234567890123456789]")

    assert [type(value) for value in values] == [str, float, int, float]
    assert values[2] == 123456789012345678


def test_read_json_nesting_of_a_hundred_thousand_is_read() -> None:
    depth = 100_000
    value = read_json('{"a":[' * depth + "1" + "]}" * depth)

    for _ in range(depth):
        (value,) = value["a"]
    assert value == 1


@pytest.mark.parametrize(
    ("text", "message", "path", "line", "column"),
    [
        ("", "found the end of the file, expected a value", "$", 1, 1),
        ("hello", "found hello, expected a value", "$", 1, 1),
        ("{", "found the end of the file, expected a key in quotes", "$", 1, 2),
        ("[1,\n 2,]", "found ], expected a value", "$[2]", 2, 4),
        ("[1 2]", "found 2, expected , or ]", "$[0]", 1, 4),
        ('{"a":1]', "found ], expected , or }", "$.a", 1, 7),
        ('{"a" 1}', "found 1, expected :", "$.a", 1, 6),
        ("{1:2}", "found 1, expected a key in quotes", "$", 1, 2),
        ('{"a":{"b c":[0,\n{"w":{"num":NaN}}]}}', "found NaN, expected a value", '$.a["b c"][1].w.num', 2, 13),
        ("[-Infinity]", "found -Infinity, expected a value", "$[0]", 1, 2),
        ("[01]", "found 01, expected a value", "$[0]", 1, 2),
        ('[{"a":1,"b":2,"a":3}]', 'found the key "a" twice in one object', "$[0].a", 1, 15),
        ("[1] 2", "found text after the value, expected the end of the file", "$", 1, 5),
        ('{"a":"b', "found a string that does not end, or has a control character", "$.a", 1, 6),
        ('["a\nb"]', "found a string that does not end, or has a control character", "$[0]", 1, 2),
        ('["\\ud800"]', 'found a string with an unknown escape: "\\ud800"', "$[0]", 1, 2),
        ('["\\x"]', 'found a string with an unknown escape: "\\x"', "$[0]", 1, 2),
        (f"[{'z' * 50}]", f"found {'z' * 40}…, expected a value", "$[0]", 1, 2),
    ],
)
def test_read_json_invalid_text_is_located(text: str, message: str, path: str, line: int, column: int) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(text)

    error = caught.value
    assert (str(error), error.path, error.line, error.column) == (message, path, line, column)


def test_read_json_error_shows_the_line() -> None:
    with pytest.raises(JsonError) as caught:
        read_json('{\n  "a": nope\n}')

    assert caught.value.excerpt == '    "a": nope\n         ^'


@pytest.mark.parametrize(
    ("key", "step"),
    [
        (3, "[3]"),
        ("children", ".children"),
        ("rhs-fixed-value?", ".rhs-fixed-value?"),
        ("a b", '["a b"]'),
        ("", '[""]'),
    ],
)
def test_step_of_path_quotes_unusual_keys(key: str | int, step: str) -> None:
    assert step_of_path(key) == step
