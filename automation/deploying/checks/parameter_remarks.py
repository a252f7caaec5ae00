"""Whether the parameters that a person is asked for have values, and real ones."""

import shlex
from collections.abc import Iterator

from automation.deploying import asked_parameters
from automation.deploying.checks.visits import Visit
from automation.deploying.remarks import Level, Remark

_REAL_ADDRESS = "you@your-company.com"


def parameter_remarks(visit: Visit) -> list[Remark]:
    """Check the parameters of `ask` in pyproject.toml."""
    return [*_unknown(visit), *_examples(visit)]


def _unknown(visit: Visit) -> Iterator[Remark]:
    questions = asked_parameters.questions(visit.scope)
    command = visit.intent.command or f"inv deploy --env {visit.scope.environment.name}"
    # One command for all: with only one of the values it would stop again.
    fix = f"{command} {shlex.join(asked_parameters.set_words(questions))}"
    for question in questions:
        described = f": {question.description}" if question.description else ""
        yield Remark(visit.intent.unknown_parameters, question.name, f"has no value yet{described}", fix)


def _examples(visit: Visit) -> Iterator[Remark]:
    values: dict[str, str] = {}
    for settings in visit.scope.stacks:
        values |= {name: settings.parameters.get(name, "") for name in settings.asked}
    for name, value in values.items():
        if asked_parameters.is_example(value):
            command = f"inv deploy --env {visit.scope.environment.name} --set {name}={_REAL_ADDRESS}"
            yield Remark(Level.WARN, name, f"is an example: {value}", f"with a real address: {command}")
