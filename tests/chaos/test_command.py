"""What the session prints: each day, how to replay one that fails, and the sum."""

from dataclasses import replace
from datetime import date

import pytest

from sandbox.kills import Moment
from tests.chaos.command import QUICK, Tried, lines_of, parser, seeds_of, summary
from tests.chaos.deploying import deployed
from tests.chaos.disturbing import Command, about
from tests.chaos.drawing import Host, KillDraw, Kind, ResendDraw, Trial, draw_trial
from tests.chaos.judging import Verdict
from tests.simulation.reading import Violation

TRIAL = Trial(
    7,
    date(2022, 3, 25),
    kills=(
        KillDraw("metrics_v2", Host.EMULATOR, 19, Moment.BEFORE),
        KillDraw("data_v2", Host.EXCHANGE, 4, Moment.AFTER),
    ),
    resends=(ResendDraw(3, is_late=False),),
    freeze_at=4,
)
KILL = {"module": "metrics_v2", "moment": "before", "number": 19, "request": "POST /"}
GOOD = Tried(TRIAL, Verdict("COMPLETED", ()), 12.4, 0, "", (KILL,), ("the exchange was frozen",), ("inbox: m-1",))
PLANNED = "metrics_v2 before request 19 to the emulator; data_v2 after request 4 to the exchange"
BAD = replace(GOOD, verdict=Verdict("FAILED", (Violation("never_short", "it sold"),)), exit_code=3, said="a: b")


def test_lines_of_a_good_day_say_what_happened_to_it() -> None:
    assert list(lines_of(GOOD, None)) == [
        "seed 7: 2022-03-25, kill, resend, freeze: COMPLETED, exit 0, 12 s",
        "  killed metrics_v2 before its request 19, POST /",
        f"  1 kill(s) not reached: {PLANNED}",
        "  sent again inbox: m-1",
        "  the exchange was frozen",
    ]


@pytest.mark.parametrize(
    ("only", "command"),
    [(None, "nox -s chaos -- --seed 7"), (Kind.TWO_DAYS, "nox -s chaos -- --seed 7 --only two-days")],
)
def test_lines_of_a_bad_day_end_with_the_command_that_replays_it(only: Kind | None, command: str) -> None:
    assert list(lines_of(BAD, only))[-3:] == [
        "  it said: a: b",
        "  violated: never_short: it sold",
        f"  again: {command}",
    ]


@pytest.mark.parametrize(
    ("words", "seeds"),
    [
        ((), [6, 18, 20]),
        (("--seeds", "2"), [0, 1]),
        (("--seeds", "2", "--from", "5"), [5, 6]),
        (("--from", "5"), [5, 6, 7]),
        (("--seed", "0"), [0]),
    ],
)
def test_seeds_follow_the_options(words: tuple[str, ...], seeds: list[int]) -> None:
    assert list(seeds_of(parser().parse_args(words))) == seeds


def test_quick_seeds_resend_start_twice_and_kill() -> None:
    assert [draw_trial(seed).kinds for seed in QUICK] == [(Kind.RESEND,), (Kind.RESEND, Kind.TWO_DAYS), (Kind.KILL,)]


def test_summary_counts_states_kinds_and_kills() -> None:
    assert list(summary([GOOD, BAD, GOOD], seconds=61.6)) == [
        "3 days in 62 s: 2 COMPLETED, 1 FAILED",
        "  kill: 3 days, 1 violated",
        "  resend: 3 days, 1 violated",
        "  freeze: 3 days, 1 violated",
        "  kills that were reached: 3",
        "violated: seeds 7",
    ]
    assert list(summary([GOOD], seconds=1))[-1] == "every invariant holds"


def test_deployed_without_a_sandbox_of_its_own_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCHEMISER_SANDBOX_DIR", "x")
    for name in ("ALCHEMISER_EMULATOR_PORT", "ALCHEMISER_EXCHANGE_PORT"):
        monkeypatch.delenv(name, raising=False)

    with (
        pytest.raises(SystemExit, match="ALCHEMISER_EMULATOR_PORT, ALCHEMISER_EXCHANGE_PORT: not set"),
        deployed(is_slow=True),
    ):
        pass


def test_command_reads_its_findings_and_last_words() -> None:
    stdout = '[{"findings": [{"where": "a", "what": "b", "fix": "c"}]}, {"findings": []}]'

    assert Command(3, stdout, " x\n y ").findings == ("a: b",)
    assert Command(3, "no JSON", "").findings == ()
    assert Command(3, "", " x\n  y ").last_words == "x y"


def test_about_a_body_is_its_message_or_its_command() -> None:
    assert about('{"command": "sweep"}') == "sweep"
    assert about('{"detail": {"message_id": "m"}}') == "m"
