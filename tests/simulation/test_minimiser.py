"""The minimiser finds the parts that a failure needs, and keeps nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.simulation.minimiser import Part, PartKind, keep, minimise, parts_of, shrink
from tests.simulation.scenario import (
    AccountPlan,
    Act,
    ActKind,
    Condition,
    ConditionKind,
    DayKind,
    FaultPlan,
    OddPosition,
    Scenario,
    Split,
)

DAY = date(2022, 6, 15)
NOON = datetime(2022, 6, 15, 16, tzinfo=UTC)
FULL = Scenario(
    seed=7,
    kind=DayKind.SPLIT,
    dates=(DAY,),
    account=AccountPlan(
        opened_by_strategies={"SPY": Decimal(5)},
        opened_by_owner={"QQQ": Decimal(3)},
        odd=(OddPosition("628ESC012", Decimal(1), None),),
    ),
    conditions=(
        Condition(ConditionKind.HALTED, "SPY", NOON, NOON),
        Condition(ConditionKind.WIDE, "QQQ", NOON, NOON, Decimal("0.4")),
    ),
    acts=(Act(ActKind.PAUSE, NOON), Act(ActKind.FORCE, NOON)),
    splits=(Split("SPY", DAY, 1, 10),),
    faults=FaultPlan(budget=9, only=frozenset({"execution_v2/1/2", "queue/trades/1"})),
    skews={"execution_v2": 2.0},
    late_data=True,
    real_data=True,
    settings={"DAY_TRADE_LIMIT": "7"},
    requests_per_minute=30,
)
PARTS = (
    Part(PartKind.REAL_DATA, ""),
    Part(PartKind.LATE_DATA, ""),
    Part(PartKind.ALLOWANCE, ""),
    Part(PartKind.SETTING, "DAY_TRADE_LIMIT"),
    Part(PartKind.SKEW, "execution_v2"),
    Part(PartKind.CONDITION, "0"),
    Part(PartKind.CONDITION, "1"),
    Part(PartKind.ODD_POSITION, "628ESC012"),
    Part(PartKind.OWNER_POSITION, "QQQ"),
    Part(PartKind.STRATEGY_POSITION, "SPY"),
    Part(PartKind.SPLIT, "0"),
    Part(PartKind.ACT, "0"),
    Part(PartKind.ACT, "1"),
    Part(PartKind.FAULT, "execution_v2/1/2"),
    Part(PartKind.FAULT, "queue/trades/1"),
)


def _first(part: Part) -> str:
    """Return the key of the part once it is the only one of its kind: acts and conditions are numbered anew."""
    return "0" if part.kind in (PartKind.ACT, PartKind.CONDITION) else part.key


def test_parts_of_a_full_scenario_are_all_of_them() -> None:
    assert tuple(parts_of(FULL)) == PARTS


def test_keep_every_part_changes_nothing() -> None:
    assert keep(FULL, PARTS) == FULL


@pytest.mark.parametrize("part", PARTS)
def test_keep_one_part_removes_all_others(part: Part) -> None:
    kept = tuple(parts_of(keep(FULL, [part])))
    assert [(remaining.kind, remaining.key) for remaining in kept] == [(part.kind, _first(part))]


@pytest.mark.parametrize(
    ("needed", "count"),
    [((), 0), ((0,), 1), ((9,), 10), ((3, 8), 10), ((0, 1, 2, 3, 4), 5), ((2, 5, 11), 13)],
)
def test_shrink_keeps_exactly_what_the_failure_needs(needed: tuple[int, ...], count: int) -> None:
    assert shrink(tuple(range(count)), lambda parts: set(needed) <= set(parts)) == needed


def test_shrink_removes_a_part_that_only_a_removal_makes_superfluous() -> None:
    """Without the last part, the first one is not needed either; the last one is only tried after it."""

    def fails(parts: tuple[int, ...]) -> bool:
        return 1 in parts and (2 not in parts or 0 in parts)

    assert shrink((0, 1, 2), fails) == (1,)


def test_shrink_stops_when_its_trials_are_used_up() -> None:
    tried: list[tuple[int, ...]] = []

    def fails(parts: tuple[int, ...]) -> bool:
        tried.append(parts)
        return False

    assert shrink(tuple(range(50)), fails, trials=3) == tuple(range(50))
    assert len(tried) == 3


def test_minimise_keeps_the_needed_fault_and_act() -> None:
    def fails(scenario: Scenario) -> bool:
        return "a/1/1" in (scenario.faults.only or ()) and any(act.kind is ActKind.FORCE for act in scenario.acts)

    short = minimise(replace(FULL, faults=FaultPlan(budget=9)), ["a/1/1", "b/1/1"], fails)

    assert tuple(parts_of(short)) == (Part(PartKind.ACT, "0"), Part(PartKind.FAULT, "a/1/1"))
    assert short.acts == (FULL.acts[1],)
    assert short.faults.budget == 9


def test_minimise_a_failure_that_does_not_repeat_returns_the_scenario() -> None:
    assert minimise(FULL, ["a/1/1"], lambda scenario: False) == FULL
