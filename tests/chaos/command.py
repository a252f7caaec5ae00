"""The command line: deploy once, trade the day of each seed under its faults, and report every violation."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from automation.system.errors import AutomationError
from tests.chaos.deploying import deployed
from tests.chaos.disturbing import Disturbance
from tests.chaos.drawing import Kind, Trial, draw_trial
from tests.chaos.end_states import read_end_state
from tests.chaos.judging import Verdict, judge
from tests.chaos.stage import Stage
from tests.simulation.reading import Violation

QUICK = (6, 18, 20)
"""The seeds of a session without options: messages that come again, a second command, and a kill, each soon over."""
CRASH = "the session itself failed"


@dataclass(frozen=True, slots=True)
class Tried:
    """What one seed did, and what came of it."""

    trial: Trial
    verdict: Verdict
    seconds: float
    exit_code: int | None = None
    said: str = ""
    kills: tuple[Mapping[str, Any], ...] = ()
    happened: tuple[str, ...] = ()
    resent: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0 when every day holds all invariants and every command told the truth, otherwise 1."""
    options = parser().parse_args(arguments)
    only = Kind(options.only) if options.only else None
    trials = [draw_trial(seed, only) for seed in seeds_of(options)]

    began = time.monotonic()
    with deployed(is_slow=options.slow) as stage:
        _show(f"deployed in {time.monotonic() - began:.0f} s")
        results = [_shown(try_day(stage, trial), only) for trial in trials]
    _show("\n".join(summary(results, seconds=time.monotonic() - began)))
    return 1 if any(result.verdict.violations for result in results) else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(prog="nox -s chaos --", description=main.__doc__)
    options.add_argument("--seeds", type=int, help=f"how many days (the seeds {', '.join(map(str, QUICK))})")
    options.add_argument("--from", type=int, default=0, dest="start", help="the first seed (0)")
    options.add_argument("--seed", type=int, help="this seed only")
    options.add_argument("--slow", action="store_true", help="wait as long as locally usual, for a busy machine")
    options.add_argument("--only", choices=[kind.value for kind in Kind], help="let nothing else happen")
    return options


def seeds_of(options: argparse.Namespace) -> Sequence[int]:
    """Return the seeds to try; ascending, because the data of each day lie before those of the next."""
    if options.seed is not None:
        return (options.seed,)
    if options.seeds is None and not options.start:
        return QUICK
    return range(options.start, options.start + (options.seeds or len(QUICK)))


def try_day(stage: Stage, trial: Trial) -> Tried:
    """Trade the day of a trial and judge it. A failure of this session is a violation, so that the other seeds run."""
    began, moment = time.monotonic(), datetime.now(UTC)
    try:
        stage.prepare(trial)
        traded = Disturbance(stage, trial).trade()
        kills = stage.kills_done()
        verdict = judge(trial, traded, read_end_state(stage, trial, traded, moment))
    except (AutomationError, BotoCoreError, ClientError, httpx.HTTPError, OSError, ValueError, KeyError) as error:
        sentence = f"{type(error).__name__}: {error}"
        return Tried(trial, Verdict("unknown", (Violation(CRASH, sentence),)), time.monotonic() - began)
    return Tried(
        trial,
        verdict,
        time.monotonic() - began,
        traded.last.exit_code,
        traded.last.words if traded.last.exit_code else "",
        kills,
        traded.happened,
        traded.resent,
    )


def _shown(result: Tried, only: Kind | None) -> Tried:
    """Print what a seed did; of one that fails, everything, and the command that replays it."""
    _show("\n".join(lines_of(result, only)))
    return result


def lines_of(result: Tried, only: Kind | None) -> Iterator[str]:
    """Yield the lines on one seed."""
    trial, state = result.trial, result.verdict.state
    kinds = ", ".join(kind.value for kind in trial.kinds)
    yield f"seed {trial.seed}: {trial.day}, {kinds}: {state}, exit {result.exit_code}, {result.seconds:.0f} s"
    yield from (f"  {line}" for line in happenings(result))
    if result.said:
        yield f"  it said: {result.said}"
    for violation in result.verdict.violations:
        yield f"  violated: {violation.invariant}: {violation.sentence}"
    if result.verdict.violations:
        replay = f"nox -s chaos -- --seed {trial.seed}" + (f" --only {only.value}" if only else "")
        yield f"  again: {replay}"


def happenings(result: Tried) -> Iterator[str]:
    """Yield what happened to the day."""
    trial = result.trial
    for kill in result.kills:
        yield f"killed {kill['module']} {kill['moment']} its request {kill['number']}, {kill['request']}"
    if len(result.kills) < len(trial.kills):
        yield f"{len(trial.kills) - len(result.kills)} kill(s) not reached: {_planned_kills(trial)}"
    for message in result.resent:
        yield f"sent again {message}"
    yield from result.happened


def _planned_kills(trial: Trial) -> str:
    return "; ".join(f"{kill.module} {kill.moment} request {kill.number} to the {kill.host}" for kill in trial.kills)


def summary(results: Sequence[Tried], *, seconds: float) -> Iterator[str]:
    """Yield the lines on all seeds together."""
    states = [result.verdict.state for result in results]
    yield f"{len(results)} days in {seconds:.0f} s: " + ", ".join(
        f"{states.count(state)} {state}" for state in sorted(set(states))
    )
    for kind in Kind:
        days = [result for result in results if kind in result.trial.kinds]
        if days:
            yield f"  {kind.value}: {len(days)} days, {sum(bool(day.verdict.violations) for day in days)} violated"
    yield f"  kills that were reached: {sum(len(result.kills) for result in results)}"
    failed = [result.trial.seed for result in results if result.verdict.violations]
    yield f"violated: seeds {', '.join(map(str, failed))}" if failed else "every invariant holds"


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
