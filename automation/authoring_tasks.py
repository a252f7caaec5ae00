"""The tasks that write functions and layers; tasks.py adds them to its own."""

from invoke.context import Context
from invoke.tasks import task

from automation import commands

ROOT = commands.ROOT


@task(
    name="new-function",
    iterable=["names"],
    auto_shortflags=False,
    help={
        "names": "its name, such as risk_check",
        "trigger": "bus, queue or schedule; default: that of the example",
        "stack": "the stack that gets it; default: the last one that has an example",
        "example": "the function to copy; default: the shortest one with this trigger",
        "layer": "its layer, by logical id or folder; default: that of the example",
        "message": "the message that it consumes, one that exists or a new one",
        "schedule": "when it runs, as in 'cron(0 20 ? * MON-FRI *)'; default: when the example runs",
        "description": "one line about what it does",
    },
)
def new_function(
    _context: Context,
    names: list[str],
    trigger: str = "",
    stack: str = "",
    example: str = "",
    layer: str = "",
    message: str = "",
    schedule: str = "",
    description: str = "",
) -> None:
    """Write a function that can be deployed at once: `inv new-function NAME`."""
    from automation import new_function as front
    from automation.authoring.function_plans import Options

    options = Options(trigger, stack, example, layer, message, schedule, description)
    front.show(ROOT, front.create(ROOT, " ".join(names), options))


@task(
    name="remove-function",
    iterable=["names"],
    auto_shortflags=False,
    help={"names": "its name or logical id", "yes": "also remove files whose changes no commit has"},
)
def remove_function(_context: Context, names: list[str], yes: bool = False) -> None:
    """Remove a function and all that belongs to it: `inv remove-function NAME`."""
    from automation import remove_function as front

    front.show(ROOT, front.remove(ROOT, " ".join(names), yes=yes))


@task(
    name="new-layer",
    positional=["names"],
    iterable=["names", "requirement"],
    auto_shortflags=False,
    help={
        "names": "its name, such as reports",
        "requirement": "a package, such as httpx==0.28.1; repeat it for more",
        "stack": "the stack that gets it; default: the last one with a layer to copy",
        "example": "the layer to copy; default: the first one",
    },
)
def new_layer(_context: Context, names: list[str], requirement: list[str], stack: str = "", example: str = "") -> None:
    """Write a layer with locked requirements: `inv new-layer NAME --requirement X`."""
    from automation import new_layer as front

    front.show(front.create(ROOT, " ".join(names), requirements=tuple(requirement), stack=stack, example=example))


TASKS = (new_function, remove_function, new_layer)
