"""Time `inv prove` and `inv validate` against the start of Invoke, which no command can undercut."""

from collections.abc import Iterator
from functools import partial

from benchmarks import timing
from benchmarks.builds import VERSION
from benchmarks.checkout import checked_out
from benchmarks.timing import Result, Side

# Commands, what they stand for, and how many times the start of Invoke they may take.
_COMMANDS = (
    (("prove", "--force"), "prove ten functions", 9.0),
    (("prove",), "prove what was proven before", 3.0),
    (("validate", "--force"), "validate both templates", 15.0),
    (("validate",), "validate what was valid before", 3.0),
)


def run(*, quick: bool) -> Iterator[Result]:
    """Time each command in turns with `inv --version`."""
    with checked_out() as project:
        project.inv("build")
        for words, name, at_most in _COMMANDS:
            project.inv(*words)  # installs what it needs, and records what passes
            sides = [Side(_nothing, partial(project.inv, *line)) for line in (words, ("--version",))]
            ours, version = timing.time_in_turns(*sides, times=3 if quick else 7)
            yield timing.check_ratio(f"{name}, inv {' '.join(words)}", ours, version, of=VERSION, at_most=at_most)


def _nothing() -> None:
    """Prepare nothing."""
