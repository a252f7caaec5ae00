"""Scenarios are reproducible, and every kind of trouble is common among them."""

from collections import Counter

import pytest

from tests.simulation.drawing import draw_scenario
from tests.simulation.scenario import ActKind, ConditionKind, DayKind, FaultKind, Scenario

SEEDS = 1_000
OFTEN = SEEDS // 100


@pytest.fixture(scope="module")
def scenarios() -> tuple[Scenario, ...]:
    return tuple(draw_scenario(seed) for seed in range(SEEDS))


def test_draw_of_the_same_seed_gives_the_same_scenario() -> None:
    assert draw_scenario(5) == draw_scenario(5)
    assert draw_scenario(5) != draw_scenario(6)


def test_every_kind_of_day_is_drawn_often(scenarios: tuple[Scenario, ...]) -> None:
    days = Counter(scenario.kind for scenario in scenarios)
    assert all(days[kind] >= OFTEN for kind in DayKind)
    assert days[DayKind.NORMAL] > SEEDS / 2


def test_every_kind_of_fault_is_drawn_often(scenarios: tuple[Scenario, ...]) -> None:
    faults: Counter[FaultKind] = Counter()
    for scenario in scenarios:
        faults.update(scenario.faults.rates.keys() if scenario.faults.budget else ())
    assert all(faults[kind] >= OFTEN for kind in FaultKind)


def test_every_kind_of_condition_is_drawn_often(scenarios: tuple[Scenario, ...]) -> None:
    conditions: Counter[ConditionKind] = Counter()
    for scenario in scenarios:
        conditions.update({condition.kind for condition in scenario.conditions})
    assert all(conditions[kind] >= OFTEN for kind in ConditionKind)


def test_every_kind_of_act_is_drawn_often(scenarios: tuple[Scenario, ...]) -> None:
    acts: Counter[ActKind] = Counter()
    for scenario in scenarios:
        acts.update({act.kind for act in scenario.acts})
    assert all(acts[kind] >= OFTEN for kind in ActKind)


def test_some_scenarios_are_calm(scenarios: tuple[Scenario, ...]) -> None:
    calm = [scenario for scenario in scenarios if not (scenario.faults.budget or scenario.acts or scenario.conditions)]
    assert len(calm) >= OFTEN


def test_acts_are_ordered_by_time(scenarios: tuple[Scenario, ...]) -> None:
    assert all(list(scenario.acts) == sorted(scenario.acts, key=lambda act: act.at) for scenario in scenarios)
