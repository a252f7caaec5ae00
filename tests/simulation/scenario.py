"""A scenario: everything that one simulated history is made of, as values that can be printed and shortened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

FULL_ALLOWANCE = 200
"""Requests a minute that the broker allows an account."""


class DayKind(StrEnum):
    """The kinds of trading days that histories are simulated on."""

    NORMAL = "normal day"
    HALF = "half day"
    SPLIT = "ex-date of a split"
    TWO_DAYS = "two days"


class FaultKind(StrEnum):
    """The ways in which a call, an invocation or a message can go wrong."""

    FAIL_BEFORE = "call fails before its effect"
    FAIL_AFTER = "call fails after its effect"
    TIMEOUT_BEFORE = "call times out before its effect"
    TIMEOUT_AFTER = "call times out after its effect"
    LATE_EFFECT = "call takes effect after its time-out"
    THROTTLE = "call is throttled"
    KILL_BEFORE = "function is killed before a call"
    KILL_AFTER = "function is killed after a call"
    STALL = "function stalls beyond its visibility"
    DOUBLED = "message is delivered twice"
    LATE = "message is delivered late"
    OUT_OF_ORDER = "message is delivered out of order"


CALL_FAULTS = (
    FaultKind.FAIL_BEFORE,
    FaultKind.FAIL_AFTER,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.THROTTLE,
    FaultKind.KILL_BEFORE,
    FaultKind.KILL_AFTER,
    FaultKind.STALL,
    FaultKind.LATE_EFFECT,
)
MESSAGE_FAULTS = (FaultKind.DOUBLED, FaultKind.LATE, FaultKind.OUT_OF_ORDER)


class ConditionKind(StrEnum):
    """The market conditions of a symbol."""

    HALTED = "halted"
    STALE = "stale quote"
    WIDE = "wide spread"
    ONE_SIDED = "one-sided quote"
    PARTIAL = "partial fills over time"
    RESTING = "orders rest"
    REJECTED = "orders are rejected"
    SLOW_CANCEL = "cancels are slow"
    SILENT_CANCEL = "cancels answer 204 without effect"
    UNKNOWN_STATUS = "orders have an unknown status"
    LATE_FILLS = "orders fill late"
    REFUSED = "orders are refused"
    OUTAGE = "broker answers nothing"
    UNREADABLE = "broker takes orders, but shows none"
    BUSY = "broker is over its rate limit"


class Condition(NamedTuple):
    """A market condition of one symbol, or one of the broker.

    Attributes:
        symbol: empty for every symbol, if the condition is about orders or about the broker.
        start, end: virtual time, UTC; the condition holds in between.
        size: of a WIDE spread its fraction of the price; of PARTIAL the number of parts; of SLOW_CANCEL, LATE_FILLS and
            UNKNOWN_STATUS the seconds that they last; else unused.
    """

    kind: ConditionKind
    symbol: str
    start: datetime
    end: datetime
    size: Decimal = Decimal(0)


class ActKind(StrEnum):
    """What people do during a history, beside the schedules."""

    START = "second start"
    FORCE = "forced rerun"
    PAUSE = "kill switch paused"
    ENABLE = "kill switch enabled"
    OWNER_BUY = "owner buys"
    OWNER_SELL = "owner sells"
    OWNER_CANCEL = "owner cancels our order"
    OWNER_EDIT = "owner edits our order"
    REDRIVE = "dead letters are redriven"
    ACCEPT = "differences are accepted"
    CHANGE_KEYS = "keys of another account"


class Act(NamedTuple):
    """One act of a person.

    Attributes:
        at: virtual time, UTC.
        symbol: of the owner's acts; empty for whichever order of ours is open then.
        quantity: shares that the owner trades, or the change of the limit price in USD of an edit.
        replaces: of a FORCE, whether it names the run that owns the day.
    """

    kind: ActKind
    at: datetime
    symbol: str = ""
    quantity: Decimal = Decimal(0)
    replaces: bool = True


class OddPosition(NamedTuple):
    """A position that the product cannot trade; a price of None is a null in the broker's answer."""

    symbol: str
    quantity: Decimal
    price: Decimal | None
    asset_class: str = "us_equity"


class Split(NamedTuple):
    """A split of a symbol: `new` shares for every `old` ones, at the open of the ex-date."""

    symbol: str
    ex_date: date
    old: int
    new: int


class AccountPlan(NamedTuple):
    """The account before the first day: USD, and shares by symbol; positions opened by earlier runs are in the ledger.

    Attributes:
        is_margin: a margin account (shorts are possible), otherwise a cash account.
        opened_by_strategies: shares by symbol that a strategy of the book bought on an earlier day.
        opened_by_owner: shares by symbol that belong to no strategy.
    """

    cash: Decimal = Decimal(100_000)
    is_margin: bool = False
    opened_by_strategies: Mapping[str, Decimal] = {}
    opened_by_owner: Mapping[str, Decimal] = {}
    odd: tuple[OddPosition, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The faults of a history.

    Attributes:
        rates: the probability of each kind per call or message.
        budget: at most so many faults happen.
        focus: faults of calls happen only at points whose key starts with it, for example "execution_v2/".
        only: the keys of the only faults that may happen; None allows all. The minimiser sets it.
    """

    rates: Mapping[FaultKind, float] = field(default_factory=dict)
    budget: int = 0
    focus: str = ""
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One history before it happens. The seed decides latencies, interleavings and the draws of faults.

    Attributes:
        dates: the sessions that are simulated, ascending: each from the evening before, with its nightly data.
        skews: seconds by which the wall clock of a function is off, by module.
        late_data: the nightly data arrives after the schedules of the first day.
        real_data: the lake is written by data_v2 and checked by the monitor, instead of a prepared copy.
        settings: environment variables that replace those of the functions that have them.
        requests_per_minute: the broker's limit; below 200 when others use the account's requests too.
    """

    seed: int
    kind: DayKind
    dates: tuple[date, ...]
    account: AccountPlan = field(default_factory=AccountPlan)
    conditions: tuple[Condition, ...] = ()
    acts: tuple[Act, ...] = ()
    splits: tuple[Split, ...] = ()
    faults: FaultPlan = FaultPlan()
    skews: Mapping[str, float] = field(default_factory=dict)
    late_data: bool = False
    real_data: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    requests_per_minute: int = FULL_ALLOWANCE
