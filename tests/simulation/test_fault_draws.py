"""Faults are drawn per key: reproducible, within the budget, and independent of each other."""

from tests.simulation.fault_draws import FaultDraws
from tests.simulation.scenario import FaultKind, FaultPlan

KINDS = (FaultKind.FAIL_BEFORE, FaultKind.STALL)
ALWAYS = {FaultKind.STALL: 1.0}


def fired(plan: FaultPlan, keys: list[str], *, seed: int = 1) -> list[str]:
    draws = FaultDraws(seed, plan)
    for key in keys:
        draws.draw(key, KINDS)
    return list(draws.fired)


def test_draw_within_the_budget_fires_and_is_recorded() -> None:
    draws = FaultDraws(1, FaultPlan(ALWAYS, budget=2))
    assert [draws.draw(key, KINDS) for key in "abc"] == [FaultKind.STALL, FaultKind.STALL, None]
    assert draws.fired == {"a": FaultKind.STALL, "b": FaultKind.STALL}


def test_draw_of_a_kind_that_is_not_possible_here_is_none() -> None:
    assert FaultDraws(1, FaultPlan(ALWAYS, budget=2)).draw("a", (FaultKind.LATE,)) is None


def test_draw_without_rates_is_none() -> None:
    assert FaultDraws(1, FaultPlan(budget=2)).draw("a", KINDS) is None


def test_draw_outside_the_focus_is_none_but_messages_stay() -> None:
    plan = FaultPlan(ALWAYS, budget=9, focus="execution_v2/")
    assert fired(plan, ["execution_v2/1/1", "data_v2/1/1", "queue/trades/1"]) == ["execution_v2/1/1", "queue/trades/1"]


def test_draw_with_a_list_of_keys_ignores_all_others() -> None:
    plan = FaultPlan(ALWAYS, budget=9, focus="data_v2/", only=frozenset({"b"}))
    assert fired(plan, ["a", "b", "data_v2/1/1"]) == ["b"]


def test_draws_do_not_depend_on_each_other() -> None:
    plan = FaultPlan({FaultKind.STALL: 0.5}, budget=1_000)
    keys = [f"a/{number}" for number in range(200)]
    assert fired(plan, keys)[-20:] == fired(plan, keys[1:])[-20:]


def test_draws_of_two_keys_are_not_tied_over_the_seeds() -> None:
    plan = FaultPlan({FaultKind.STALL: 0.5}, budget=1_000)
    outcomes = {tuple(fired(plan, ["a/1", "a/2"], seed=seed)) for seed in range(100)}
    assert len(outcomes) == 4


def test_rate_is_the_share_of_the_points_that_fail() -> None:
    plan = FaultPlan({FaultKind.FAIL_BEFORE: 0.1, FaultKind.STALL: 0.2}, budget=10_000)
    draws = FaultDraws(3, plan)
    kinds = [draws.draw(f"a/{number}", KINDS) for number in range(4_000)]
    assert 0.08 < kinds.count(FaultKind.FAIL_BEFORE) / 4_000 < 0.12
    assert 0.17 < kinds.count(FaultKind.STALL) / 4_000 < 0.23
