"""Words after a task's name, `inv build StrategyFunction SharedCodeLayer`, which Invoke's parser does not take.

A parameter without a default that its task declares iterable receives them. The name of a task ends them, as everywhere
in Invoke: `inv build size` runs two tasks.
"""

from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine

_handle = ParseMachine.handle


def accept() -> None:
    """Teach Invoke's parser; it offers no other place to say so, since `inv` is its own program. Twice is as once."""
    ParseMachine.handle = handle  # type: ignore[assignment]  # mypy reads its self twice


def handle(machine: ParseMachine, token: str) -> None:
    """Take one token: what is neither flag, nor a flag's value, nor a task is a word of the task before it."""
    words = _words_of(machine)
    if words is None or token.startswith("-") or token in machine.contexts or machine.waiting_for_flag_value:
        _handle(machine, token)
    else:
        words.value = token


def _words_of(machine: ParseMachine) -> Argument | None:
    if machine.current_state != "context" or machine.context is None:
        return None
    return next((one for one in machine.context.positional_args if one.kind is list), None)
