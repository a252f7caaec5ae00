"""What a seed draws: always the same, only what was asked for, and every kind sooner or later."""

from collections import Counter
from datetime import date

import pytest

from sandbox.kills import Moment
from sandbox.preflight import read_universe
from tests.chaos.drawing import Host, KillDraw, Kind, Trial, draw_trial

SEEDS = range(300)


def test_draw_trial_of_a_seed_is_always_the_same() -> None:
    assert [draw_trial(seed) for seed in SEEDS] == [draw_trial(seed) for seed in SEEDS]


def test_draw_trial_gives_neighbours_different_days() -> None:
    assert [draw_trial(seed).day for seed in range(3)] == [date(2022, 3, 16), date(2022, 3, 17), date(2022, 3, 18)]


def test_draw_trial_always_does_something_and_at_most_two_kinds() -> None:
    assert {len(draw_trial(seed).kinds) for seed in SEEDS} == {1, 2}


@pytest.mark.parametrize("kind", Kind)
def test_draw_trial_of_one_kind_does_nothing_else(kind: Kind) -> None:
    assert {draw_trial(seed, kind).kinds for seed in SEEDS} == {(kind,)}


def test_draws_reach_every_kind_module_server_and_moment() -> None:
    trials = [draw_trial(seed) for seed in SEEDS]
    kinds: Counter[Kind] = Counter()
    kills: list[KillDraw] = []
    for trial in trials:
        kinds.update(trial.kinds)
        kills += trial.kills

    assert kinds.keys() == set(Kind)
    assert kinds.most_common(1)[0][0] is Kind.KILL
    assert len({kill.module for kill in kills}) == 10
    assert {kill.moment for kill in kills} == set(Moment)
    assert {kill.host for kill in kills} == set(Host)
    assert min(kill.number for kill in kills) >= 1


def test_draws_leave_a_broken_message_a_receive_that_works() -> None:
    """A message has three receives; two kills leave it the third."""
    assert max(len(draw_trial(seed).kills) for seed in SEEDS) == 2


def test_opening_holds_symbols_of_the_book_only() -> None:
    held = set[str]()
    for seed in SEEDS:
        held |= draw_trial(seed).opening.keys()

    assert held <= read_universe()


def test_kinds_of_a_trial_follow_what_it_does() -> None:
    day = date(2022, 3, 16)

    assert Trial(1, day).kinds == ()
    assert Trial(1, day, freeze_at=1, second_at=2).kinds == (Kind.FREEZE, Kind.TWO_DAYS)
