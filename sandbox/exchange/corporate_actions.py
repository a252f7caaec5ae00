"""Planted corporate actions: splits and cash dividends, and what they make of the adjusted history.

The bundled history is adjusted for everything. An action that is planted on top says that prices before its ex-date
were traded at another level: the history times the action's ratio. No action is planted by default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Literal, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator

_NAMESPACE = uuid5(NAMESPACE_URL, "https://paper-exchange.invalid/corporate-actions")
_ONE = Decimal(1)

Kind = Literal["forward_split", "reverse_split", "cash_dividend"]


class Factor(NamedTuple):
    """What the adjusted history of a day is multiplied (price) and divided (volume: shares) by."""

    price: Decimal
    shares: Decimal

    @property
    def is_one(self) -> bool:
        return self == _UNCHANGED


_UNCHANGED = Factor(_ONE, _ONE)


class CorporateAction(BaseModel):
    """One action. A split turns `old_rate` shares into `new_rate`; a dividend pays `rate` USD per share.

    `process_date` is the day by which the API's `start` and `end` select; by default the ex-date. The API lists the
    action from `announced` on; by default always.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Kind
    symbol: str
    ex_date: date
    old_rate: Decimal = Field(default=_ONE, gt=0)
    new_rate: Decimal = Field(default=_ONE, gt=0)
    rate: Decimal = Field(default=Decimal(0), ge=0)
    process_date: date | None = None
    announced: date | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> "CorporateAction":
        fits: Mapping[str, tuple[bool, str]] = {
            "forward_split": (self.new_rate > self.old_rate, "a forward split needs new_rate > old_rate"),
            "reverse_split": (self.new_rate < self.old_rate, "a reverse split needs new_rate < old_rate"),
            "cash_dividend": (self.rate > 0, "a cash dividend needs rate > 0"),
        }
        is_right, message = fits[self.type]
        if not is_right:
            raise ValueError(message)
        return self

    @property
    def is_split(self) -> bool:
        return self.type != "cash_dividend"

    @property
    def id(self) -> UUID:
        """Return an id that depends only on what the action is."""
        return uuid5(_NAMESPACE, f"{self.type}/{self.symbol}/{self.ex_date}")

    @property
    def processed(self) -> date:
        return self.process_date or self.ex_date

    @property
    def split_ratio(self) -> Decimal:
        """Return the shares after the action per share before it."""
        return self.new_rate / self.old_rate if self.is_split else _ONE


@dataclass(frozen=True, slots=True)
class _Step:
    """The factor between prices before and after one action."""

    action: CorporateAction
    ratio: Decimal


@dataclass(slots=True)
class CorporateActions:
    """The planted actions, in the order of their ex-dates; only in memory, so a restart clears them.

    Args:
        close_before: returns a symbol's adjusted close of the last session before a day; None before the first bar.
    """

    close_before: Callable[[str, date], Decimal | None]
    _steps: dict[str, tuple[_Step, ...]] = field(default_factory=dict)

    def plant(self, action: CorporateAction) -> None:
        """Add an action; one with the same id takes the place of the earlier one."""
        planted = [step.action for step in self._steps.get(action.symbol, ()) if step.action.id != action.id]
        self._steps[action.symbol] = self._with_ratios(sorted([*planted, action], key=lambda action: action.ex_date))

    def clear(self) -> None:
        self._steps.clear()

    def has(self, symbol: str) -> bool:
        return symbol in self._steps

    def all(self) -> tuple[CorporateAction, ...]:
        """Return every action, by day of processing, then symbol."""
        actions = (step.action for step in chain.from_iterable(self._steps.values()))
        return tuple(sorted(actions, key=lambda action: (action.processed, action.symbol, action.type)))

    def splits_between(self, after: date, through: date) -> tuple[CorporateAction, ...]:
        """Return the splits whose ex-date is after one day and not after the other."""
        return tuple(action for action in self.all() if action.is_split and after < action.ex_date <= through)

    def factor(self, symbol: str, day: date, *, today: date, adjustment: str) -> Factor:
        """Return what makes a bar of the adjusted history the bar of that day as it is seen today.

        A raw bar differs by every later action. An adjusted one knows the actions of its kinds whose ex-date has come.
        """
        price, shares = _UNCHANGED
        for step in self._steps.get(symbol, ()):
            ex_date = step.action.ex_date
            if ex_date > day and not (ex_date <= today and _adjusts(adjustment, step.action)):
                price *= step.ratio
                shares *= step.action.split_ratio
        return Factor(price, shares)

    def split_ratio(self, symbol: str, *, after: date, through: date) -> Decimal:
        """Return the shares on the second day per share on the first."""
        ratio = _ONE
        for step in self._steps.get(symbol, ()):
            if after < step.action.ex_date <= through:
                ratio *= step.action.split_ratio
        return ratio

    def _with_ratios(self, actions: list[CorporateAction]) -> tuple[_Step, ...]:
        """Return the price ratio of each action, the latest first computed: a dividend's depends on later ones."""
        steps: list[_Step] = []
        later = _ONE
        for action in reversed(actions):
            ratio = action.split_ratio
            if not action.is_split:
                close = self.close_before(action.symbol, action.ex_date)
                # The close before the ex-date traded higher by the dividend: history is adjusted for it.
                ratio = _ONE if close is None else (close * later + action.rate) / (close * later)
            later *= ratio
            steps.append(_Step(action, ratio))
        return tuple(reversed(steps))


def _adjusts(adjustment: str, action: CorporateAction) -> bool:
    return adjustment in {"all", "split" if action.is_split else "dividend"}
