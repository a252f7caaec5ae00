"""The values that everything else in `shared` is built from. This module imports nothing of `shared`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self, dataclass_transform

import msgspec

from the_alchemiser.shared.records import Frozen

WHOLE_SHARE = Decimal(1)
FRACTIONAL_SHARE = Decimal("0.000001")  # the smallest part of a share that an order may ask for
LEDGER_SHARE = Decimal("0.000000001")  # the smallest part of a share that the broker and the ledger count

SYMBOL_PATTERN = r"^[A-Z][A-Z0-9.]*\Z"  # `$` would also match before a line break at the end
Symbol = Annotated[str, msgspec.Meta(pattern=SYMBOL_PATTERN)]
Weights = Mapping[Symbol, Decimal]
UtcDatetime = Annotated[datetime, msgspec.Meta(tz=True)]  # Value moves it to UTC


class Side(StrEnum):
    """The direction of a trade, and of the phase it belongs to: a run sells first, then buys."""

    BUY = "BUY"
    SELL = "SELL"


class Clock(Frozen):
    """The broker's clock: the only source of business time and of the trading date."""

    timestamp: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


class Session(Frozen):
    """One trading day of the exchange; open and close are in New York time, and half days close early."""

    date: date
    open: datetime
    close: datetime


class _ValueType(msgspec.StructMeta):
    """The type of all classes of values: fields are passed by name, and a constructor checks them as `read` does."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> "_ValueType":
        return super().__new__(cls, name, bases, namespace, kw_only=True, **options)

    if not TYPE_CHECKING:  # mypy derives the arguments from the fields

        def __call__(cls, **fields: Any) -> Any:
            # msgspec's own constructor checks no types, so a wrong amount would fail only where it is read.
            unknown = fields.keys() - cls.__struct_fields__
            if unknown:
                raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
            return msgspec.convert(fields, cls)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, metaclass=_ValueType, frozen=True):
    """A frozen value, checked wherever it comes from. Decimals are finite, times are aware and in UTC.

    Its constructor refuses unknown fields; `read` and `read_json` ignore them.
    """

    def __post_init__(self) -> None:
        for name, value in zip(self.__struct_fields__, msgspec.structs.astuple(self), strict=True):
            # Most fields, without a call: a backtest of ten years makes hundreds of thousands of values.
            if isinstance(value, str) or (isinstance(value, Decimal) and value.is_finite()):
                continue
            if isinstance(value, datetime):
                msgspec.structs.force_setattr(self, name, value.astimezone(UTC))
            elif fault := _fault(value):
                raise ValueError(f"{name}{fault}")

    @classmethod
    def read(cls, content: object) -> Self:
        """Return the value in a message or a stored item, which an earlier or a later release may have written.

        Fields that this release does not know are ignored, in nested values too.

        Raises:
            ValueError: a field that this release needs is missing, or has the wrong form.
        """
        return msgspec.convert(content, cls)

    @classmethod
    def read_json(cls, text: str | bytes) -> Self:
        """Return the value in a JSON document, as `read` does.

        Raises:
            ValueError: it is not JSON, or `read` would refuse its content.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except RecursionError as error:
            raise ValueError("the JSON is nested too deeply") from error

    def to_json(self, *, indent: int = 0) -> str:
        """Return the value as a JSON document: in one line, or each level indented by so many spaces."""
        text = msgspec.json.encode(self)
        return (msgspec.json.format(text, indent=indent) if indent else text).decode()

    def to_content(self) -> dict[str, Any]:
        """Return the fields as JSON values: what `json.loads` would return for the document."""
        content: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return content

    def changed(self, **fields: Any) -> Self:
        """Return a copy with other values of these fields.

        Raises:
            TypeError: a field has another name.
            ValueError: a field has the wrong form.
        """
        return type(self)(**(msgspec.structs.asdict(self) | fields))


def _fault(value: object) -> str:
    """Return where a field has a NaN or an infinity, which msgspec accepts as decimals; empty when it has none."""
    if isinstance(value, Decimal):
        return "" if value.is_finite() else f" must be a finite number, got {value}"

    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for key, part in parts:
        if fault := _fault(part):
            return f".{key}{fault}"
    return ""


class Refusal(Value):
    """Why something was not done.

    Attributes:
        reason: a short snake_case code that never changes its spelling.
        detail: one sentence for people.
    """

    reason: str
    detail: str
