"""Faults in served bars: planted on either side, in what the broker serves or in what the second source serves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.exchange.history import Bar

Kind = Literal["missing", "duplicate", "zero", "negative", "inverted", "spike", "level", "stale", "flat", "volume"]
_NEEDS_FACTOR = frozenset({"spike", "level", "volume"})


class BarFault(BaseModel):
    """One fault in the bars of a symbol; nothing that trades is changed by it.

    Kinds: `missing` leaves out the bars from `day` through `last`; `duplicate` serves the bar of the day twice; `zero`
    and `negative` replace its prices; `inverted` swaps its high and low, a cent apart at least; `spike` multiplies the
    prices from `day` through `last` by `factor`; `level` multiplies all prices before the day, as history that is not
    adjusted for a split or a dividend; `stale` ends the bars with the day; `flat` repeats the bar of the day through
    `last`; `volume` multiplies the volume.

    `last` is the day itself by default, for `flat` every later day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: Literal["broker", "second"] = "broker"
    kind: Kind
    symbol: str = Field(min_length=1)
    day: date
    last: date | None = None
    factor: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.kind in _NEEDS_FACTOR) != (self.factor is not None):
            raise ValueError(f"factor is for {', '.join(sorted(_NEEDS_FACTOR))}, and these need it")
        if self.last is not None and self.last < self.day:
            raise ValueError("last is before day")
        return self

    def concerns(self, day: date) -> bool:
        """Return whether the fault changes the bar of a day."""
        match self.kind:
            case "level":
                return day < self.day
            case "stale":
                return day > self.day
            case "flat":
                return self.day < day <= (self.last or date.max)
        return self.day <= day <= (self.last or self.day)


@dataclass(slots=True)
class BarFaults:
    """The planted faults of one side, in the order they were planted."""

    planted: list[BarFault] = field(default_factory=list)

    def apply(self, symbol: str, bars: Iterable[Bar], bar_of: Callable[[date], Bar]) -> tuple[Bar, ...]:
        """Return the bars with the faults of the symbol.

        Args:
            bar_of: returns the true bar of a day, or of the last one before it.
        """
        served = tuple(bars)
        for fault in self.planted:
            if fault.symbol == symbol:
                served = tuple(chain.from_iterable(_faulty(fault, bar, bar_of) for bar in served))
        return served


def _faulty(fault: BarFault, bar: Bar, bar_of: Callable[[date], Bar]) -> tuple[Bar, ...]:
    if not fault.concerns(bar.date):
        return (bar,)
    if fault.kind in {"missing", "stale"}:
        return ()
    if fault.kind == "duplicate":
        return bar, bar
    return (_changed(fault, bar, bar_of),)


def _changed(fault: BarFault, bar: Bar, bar_of: Callable[[date], Bar]) -> Bar:
    factor = fault.factor or 1
    match fault.kind:
        case "zero":
            return _scaled(bar, 0.0)
        case "negative":
            return _scaled(bar, -1.0)
        case "inverted":
            return replace(bar, high=bar.low - 0.01, low=bar.high + 0.01)
        case "flat":
            return replace(bar_of(fault.day), date=bar.date)
        case "volume":
            return replace(bar, volume=int(bar.volume * factor))
    return _scaled(bar, factor)


def _scaled(bar: Bar, factor: float) -> Bar:
    opened, high, low, close = (round(price * factor, 6) for price in (bar.open, bar.high, bar.low, bar.close))
    return Bar(bar.date, opened, high, low, close, bar.volume)
