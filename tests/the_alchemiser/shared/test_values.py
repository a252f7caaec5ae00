"""A value is checked wherever it comes from: a constructor, a message, a JSON document, or a changed copy."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

import pytest

from the_alchemiser.shared.values import Refusal, Side, Symbol, UtcDatetime, Value, Weights

AT = datetime(2022, 3, 16, 19, 45, 1, 120_000, tzinfo=UTC)
NEW_YORK = timezone(timedelta(hours=-4))


class Part(Value):
    """A value within another one."""

    price: Decimal = Decimal(1)
    at: UtcDatetime = AT


class Sheet(Value):
    """A value with a field of every form."""

    title: str = "title"
    symbol: Symbol = "SPY"
    side: Side = Side.BUY
    version: Literal[1] = 1
    count: int = 0
    passed: bool = False
    day: date = date(2022, 3, 16)
    at: UtcDatetime = AT
    amount: Decimal = Decimal("1.50")
    limit: Decimal | None = None
    weights: Weights = {}  # noqa: RUF012 - each value has its own
    contributions: Mapping[str, Weights] = {}
    parts: tuple[Part, ...] = ()
    bounds: tuple[Decimal, ...] = ()


class Strict(Value, forbid_unknown_fields=True):
    """A value that people type."""

    amount: Decimal = Decimal(1)


class Whole(Value):
    """A value with one field that it needs, after one that it does not need."""

    title: str = ""
    amount: Decimal


def construct(fields: dict[str, Any]) -> Sheet:
    return Sheet(**fields)


def read_json(fields: dict[str, Any]) -> Sheet:
    return Sheet.read_json(json.dumps(fields))


def change(fields: dict[str, Any]) -> Sheet:
    return Sheet().changed(**fields)


ways = pytest.mark.parametrize("make", [construct, Sheet.read, read_json, change])
type Make = Callable[[dict[str, Any]], Sheet]


@ways
@pytest.mark.parametrize("text", ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("amount", lambda text: {"amount": text}),
        ("limit", lambda text: {"limit": text}),
        ("weights.TLT", lambda text: {"weights": {"SPY": "1", "TLT": text}}),
        ("contributions.calm.SPY", lambda text: {"contributions": {"bold": {}, "calm": {"SPY": text}}}),
        ("bounds.1", lambda text: {"bounds": ["0", text]}),
        (r"price must be .* at `\$\.parts\[1\]`", lambda text: {"parts": [{}, {"price": text}]}),
    ],
)
def test_value_with_an_amount_that_is_not_finite_names_it(
    make: Make, path: str, fields: Callable[[str], dict[str, Any]], text: str
) -> None:
    with pytest.raises(ValueError, match=path):
        make(fields(text))


def test_value_constructed_with_a_decimal_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="amount must be a finite number, got NaN"):
        Sheet(amount=Decimal("NaN"))


@ways
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("title", {"title": 1}),
        ("title", {"title": None}),
        ("symbol", {"symbol": "spy"}),
        ("symbol", {"symbol": "SPY\n"}),
        ("symbol", {"symbol": ""}),
        ("weights", {"weights": {"BRK/B": "1"}}),
        ("weights", {"weights": {"SPY": None}}),
        ("contributions", {"contributions": {"calm": {"SPY\n": "1"}}}),
        ("side", {"side": "HOLD"}),
        ("version", {"version": 2}),
        ("version", {"version": True}),
        ("count", {"count": True}),
        ("count", {"count": "1"}),
        ("count", {"count": 1.5}),
        ("passed", {"passed": 1}),
        ("passed", {"passed": "true"}),
        ("day", {"day": "2022-02-30"}),
        ("at", {"at": "2022-03-16T19:45:00"}),
        ("at", {"at": 1_647_459_900}),
        ("amount", {"amount": True}),
        ("amount", {"amount": "12 USD"}),
        ("amount", {"amount": None}),
        (r"parts\[0\]\.at", {"parts": [{"at": "2022-03-16T19:45:00"}]}),
        (r"parts\[1\]", {"parts": [{}, None]}),
        ("parts", {"parts": None}),
    ],
)
def test_value_with_a_field_of_the_wrong_form_names_its_path(make: Make, path: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"\$\.{path}"):
        make(fields)


def test_value_constructed_with_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match=r"timezone component - at `\$\.at`"):
        Sheet(at=datetime(2022, 3, 16, 19, 45))  # noqa: DTZ001 - what is refused


@ways
def test_value_moves_a_time_of_another_zone_to_utc(make: Make) -> None:
    local = AT.astimezone(NEW_YORK)

    sheet = make({"at": local.isoformat(), "parts": [{"at": local.isoformat()}]})

    assert (sheet.at, sheet.at.tzinfo) == (AT, UTC)
    assert (sheet.parts[0].at, sheet.parts[0].at.tzinfo) == (AT, UTC)
    assert Sheet(at=local).at.tzinfo is UTC


@ways
@pytest.mark.parametrize(
    ("number", "text"), [("1.50", "1.50"), (1, "1"), (0.1, "0.1"), (1e-7, "1E-7"), ("1E+2", "1E+2"), ("-0", "-0")]
)
def test_value_takes_an_amount_as_it_is_written(make: Make, number: object, text: str) -> None:
    assert str(make({"amount": number}).amount) == text


def test_value_without_a_field_that_it_needs_names_it() -> None:
    with pytest.raises(ValueError, match="required field `amount`"):
        Whole.read({"title": ""})
    with pytest.raises(ValueError, match="required field `amount`"):
        Whole(title="")  # type: ignore[call-arg]  # what the type forbids is what is tested


def test_read_ignores_unknown_fields_in_nested_values_too() -> None:
    content = {"later": 1, "parts": [{"later": {"a": [1]}}]}

    assert Sheet.read(content) == Sheet.read_json(json.dumps(content)) == Sheet(parts=(Part(),))


def test_constructor_and_changed_refuse_an_unknown_field() -> None:
    unknown: dict[str, Any] = {"later": 1, "earlier": 2}

    with pytest.raises(TypeError, match=r"^Sheet has no field earlier, later$"):
        Sheet(**unknown)
    with pytest.raises(TypeError, match=r"^Sheet has no field later$"):
        Sheet().changed(later=1)


def test_strict_value_refuses_an_unknown_field_when_it_is_read() -> None:
    with pytest.raises(ValueError, match="unknown field `later`"):
        Strict.read({"later": 1})
    with pytest.raises(ValueError, match="unknown field `later`"):
        Strict.read_json('{"later": 1}')


@pytest.mark.parametrize("text", ["", "{", "{} {}", b'{"title": "\xff"}', "[1]", "null", '{"later": ' + "[" * 100_000])
def test_read_json_of_something_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Sheet.read_json(text)


def test_to_json_writes_decimals_as_text_and_times_in_utc() -> None:
    sheet = Sheet(
        title="é\n\x01\N{LINE SEPARATOR}", weights={"SPY": Decimal("1E+2")}, parts=(Part(price=Decimal("0.10")),)
    )

    assert sheet.to_json() == (
        '{"title":"é\\n\\u0001\N{LINE SEPARATOR}","symbol":"SPY","side":"BUY","version":1,"count":0,"passed":false,'
        '"day":"2022-03-16","at":"2022-03-16T19:45:01.120000Z","amount":"1.50","limit":null,"weights":{"SPY":"1E+2"},'
        '"contributions":{},"parts":[{"price":"0.10","at":"2022-03-16T19:45:01.120000Z"}],"bounds":[]}'
    )


def test_to_json_of_a_whole_second_has_no_fraction() -> None:
    assert '"at":"2022-03-16T19:45:01Z"' in Part(at=AT.replace(microsecond=0)).to_json()


def test_to_json_with_an_indent_has_a_line_per_field() -> None:
    refusal = Refusal(reason="day_limit", detail="")

    assert refusal.to_json(indent=2) == '{\n  "reason": "day_limit",\n  "detail": ""\n}'


def test_to_content_is_what_the_document_contains() -> None:
    sheet = Sheet(bounds=(Decimal(1), Decimal(2)), parts=(Part(),), weights={"SPY": Decimal(1)})

    assert sheet.to_content() == json.loads(sheet.to_json())
    assert sheet.to_content()["bounds"] == ["1", "2"]
    assert Sheet.read(sheet.to_content()) == sheet


def test_changed_is_a_copy() -> None:
    sheet = Sheet(title="a", count=1)

    assert sheet.changed(title="b") == Sheet(title="b", count=1)
    assert sheet == Sheet(title="a", count=1)


def test_value_is_frozen() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Part().price = Decimal(2)  # type: ignore[misc]  # what the type forbids is what is tested


def test_values_are_equal_and_hash_by_class_and_fields() -> None:
    class Twin(Part):
        """The same fields in another class."""

    assert Part(price=Decimal("1.0")) == Part(price=Decimal("1.00"))
    assert hash(Part(price=Decimal("1.0"))) == hash(Part(price=Decimal("1.00")))
    assert Part(price=Decimal(2)) != Part()
    assert Part() != Twin()


def test_values_do_not_share_a_default_mapping() -> None:
    assert Sheet().weights is not Sheet().weights
