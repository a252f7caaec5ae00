"""Shortens a failing scenario: removes every part without which the history still fails (delta debugging)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from tests.simulation.scenario import FULL_ALLOWANCE, AccountPlan, Scenario

MAX_TRIALS = 400

type Fails = Callable[[Scenario], bool]


class PartKind(StrEnum):
    """The removable parts of a scenario."""

    FAULT = "fault"
    ACT = "act"
    CONDITION = "condition"
    SKEW = "skew"
    SPLIT = "split"
    STRATEGY_POSITION = "position of a strategy"
    OWNER_POSITION = "position of the owner"
    ODD_POSITION = "odd position"
    LATE_DATA = "late data"
    REAL_DATA = "real data"
    SETTING = "setting"
    ALLOWANCE = "small allowance"


class Part(NamedTuple):
    """One removable part of a scenario; `key` identifies it among its kind."""

    kind: PartKind
    key: str


def minimise(scenario: Scenario, fired: Iterable[str], fails: Fails) -> Scenario:
    """Return a scenario with as few parts as possible that still fails.

    Args:
        fired: the keys of the faults that happened in the failing history.
        fails: simulates a scenario and returns whether it violates the same invariant.
    """
    pinned = replace(scenario, faults=replace(scenario.faults, only=frozenset(fired)))
    if not fails(pinned):
        return scenario

    def fails_with(parts: tuple[Part, ...]) -> bool:
        return fails(keep(pinned, parts))

    return keep(pinned, shrink(tuple(parts_of(pinned)), fails_with))


def shrink[T](
    parts: tuple[T, ...], fails: Callable[[tuple[T, ...]], bool], *, trials: int = MAX_TRIALS
) -> tuple[T, ...]:
    """Return a part of `parts`, in their order, that still fails; at most `trials` attempts.

    Chunks are tried first, half of all parts at a time, then ever smaller ones down to single parts. Single parts are
    tried again after every removal, because a removal can make others superfluous.
    """
    size = max(len(parts) // 2, 1)
    start = 0
    removed = False

    while parts and trials > 0:
        shorter = parts[:start] + parts[start + size :]
        trials -= 1
        if fails(shorter):
            parts, removed = shorter, True
        else:
            start += size
        if start >= len(parts):
            if size == 1 and not removed:
                break
            size, start, removed = max(size // 2, 1), 0, False
    return parts


def parts_of(scenario: Scenario) -> Iterator[Part]:
    """Yield every removable part; the ones that explain least come first, because they are tried first."""
    if scenario.real_data:
        yield Part(PartKind.REAL_DATA, "")
    if scenario.late_data:
        yield Part(PartKind.LATE_DATA, "")
    if scenario.requests_per_minute != FULL_ALLOWANCE:
        yield Part(PartKind.ALLOWANCE, "")
    for name in scenario.settings:
        yield Part(PartKind.SETTING, name)
    for module in scenario.skews:
        yield Part(PartKind.SKEW, module)
    for index in range(len(scenario.conditions)):
        yield Part(PartKind.CONDITION, str(index))
    yield from _account_parts(scenario.account)
    for index in range(len(scenario.splits)):
        yield Part(PartKind.SPLIT, str(index))
    for index in range(len(scenario.acts)):
        yield Part(PartKind.ACT, str(index))
    for key in sorted(scenario.faults.only or ()):
        yield Part(PartKind.FAULT, key)


def keep(scenario: Scenario, parts: Iterable[Part]) -> Scenario:
    """Return the scenario with these of its parts only."""
    kept = frozenset(parts)

    def has(kind: PartKind, key: object = "") -> bool:
        return Part(kind, str(key)) in kept

    account = scenario.account
    return replace(
        scenario,
        real_data=has(PartKind.REAL_DATA),
        late_data=has(PartKind.LATE_DATA),
        requests_per_minute=scenario.requests_per_minute if has(PartKind.ALLOWANCE) else FULL_ALLOWANCE,
        settings={name: value for name, value in scenario.settings.items() if has(PartKind.SETTING, name)},
        skews={module: skew for module, skew in scenario.skews.items() if has(PartKind.SKEW, module)},
        conditions=tuple(part for index, part in enumerate(scenario.conditions) if has(PartKind.CONDITION, index)),
        splits=tuple(part for index, part in enumerate(scenario.splits) if has(PartKind.SPLIT, index)),
        acts=tuple(part for index, part in enumerate(scenario.acts) if has(PartKind.ACT, index)),
        faults=replace(scenario.faults, only=frozenset(part.key for part in kept if part.kind is PartKind.FAULT)),
        account=account._replace(
            odd=tuple(odd for odd in account.odd if has(PartKind.ODD_POSITION, odd.symbol)),
            opened_by_strategies={
                symbol: quantity
                for symbol, quantity in account.opened_by_strategies.items()
                if has(PartKind.STRATEGY_POSITION, symbol)
            },
            opened_by_owner={
                symbol: quantity
                for symbol, quantity in account.opened_by_owner.items()
                if has(PartKind.OWNER_POSITION, symbol)
            },
        ),
    )


def _account_parts(account: AccountPlan) -> Iterator[Part]:
    for odd in account.odd:
        yield Part(PartKind.ODD_POSITION, odd.symbol)
    for symbol in account.opened_by_owner:
        yield Part(PartKind.OWNER_POSITION, symbol)
    for symbol in account.opened_by_strategies:
        yield Part(PartKind.STRATEGY_POSITION, symbol)
