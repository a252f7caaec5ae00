"""The command line: many seeds on all cores, one seed with its history, or the table of safeguards."""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.simulation.drawing import draw_scenario
from tests.simulation.end_state import EndState
from tests.simulation.invariants import check
from tests.simulation.kernel import simulate
from tests.simulation.minimiser import minimise
from tests.simulation.narrative import narrate
from tests.simulation.reading import Violation
from tests.simulation.report import Summary, Tally, has_failed, render, summarise
from tests.simulation.safeguards import mutant_table
from tests.simulation.scenario import Scenario

DEFAULT_SEEDS = 2_000
CHUNK = 25
PROGRESS = 1_000
CRASH = "the simulator itself failed"

type Trial = Callable[[Scenario], EndState]


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0 when every invariant holds and enough was tried, otherwise 1."""
    options = _parser().parse_args(arguments)
    if options.mutants:
        return mutant_table(_show, jobs=options.jobs)
    if options.seed is not None:
        return replay(options.seed, shorten=options.minimise, is_whole=options.whole)
    return many(range(options.start, options.start + options.seeds), jobs=options.jobs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s simulate --", description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=DEFAULT_SEEDS, help=f"how many histories ({DEFAULT_SEEDS:,})")
    parser.add_argument("--from", type=int, default=0, dest="start", help="the first seed (0)")
    parser.add_argument("--seed", type=int, help="replay this seed only, and print its history")
    parser.add_argument("--minimise", action="store_true", help="with --seed: remove what its violation does not need")
    parser.add_argument("--whole", action="store_true", help="with --seed: print every call, also those that went well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one per core)")
    parser.add_argument("--mutants", action="store_true", help="switch each safeguard off in turn; all must be noticed")
    return parser


def many(seeds: range, *, jobs: int, trial: Trial = simulate) -> int:
    """Simulate these seeds, print the report, and return the exit code."""
    began = time.perf_counter()
    tally = Tally()
    for part in tallies(seeds, jobs=jobs, trial=trial):
        tally.merge(part)
        for seed, violation in part.cases:
            _note(f"seed {seed}: {violation.invariant}: {violation.sentence}")
        if tally.histories % PROGRESS == 0:
            _note(f"{tally.histories:,} of {len(seeds):,} histories, {tally.violated:,} with violations")

    _show(render(tally, minutes=(time.perf_counter() - began) / 60, jobs=jobs))
    return 1 if has_failed(tally) else 0


def tallies(seeds: range, *, jobs: int, trial: Trial = simulate) -> Iterator[Tally]:
    """Yield the tallies of parts of the seeds, in any order, simulated in this many processes."""
    parts = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if jobs == 1:
        for part in parts:
            yield tally_of(part, trial)
        return

    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(tally_of, part, trial) for part in parts]):
            yield future.result()


def tally_of(seeds: range, trial: Trial) -> Tally:
    """Simulate these seeds one after another."""
    tally = Tally()
    for seed in seeds:
        tally.add(summary_of(seed, trial))
    return tally


def summary_of(seed: int, trial: Trial) -> Summary:
    """Simulate one seed. A failure of the simulator is a violation of its own, so that the other seeds still run."""
    try:
        return summarise(trial(draw_scenario(seed)))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})"
        return Summary(seed, 0, {}, (Violation(CRASH, sentence),))


def replay(seed: int, *, shorten: bool, is_whole: bool = False, trial: Trial = simulate) -> int:
    """Simulate one seed, print its history and its violations, and return the exit code.

    Args:
        shorten: remove from the scenario whatever its first violation does not need.
        is_whole: print every call of every function.
    """
    end = trial(draw_scenario(seed))
    violations = check(end)
    if violations and shorten:
        end = trial(_shortened(end, violations[0].invariant, trial))
        violations = check(end)

    _show("\n".join(narrate(end, is_whole=is_whole)))
    for violation in violations:
        _show(f"violated: {violation.invariant}: {violation.sentence}")
    return 1 if violations else 0


def _shortened(end: EndState, invariant: str, trial: Trial) -> Scenario:
    def fails(shorter: Scenario) -> bool:
        return any(violation.invariant == invariant for violation in check(trial(shorter)))

    return minimise(end.scenario, end.faults, fails)


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
