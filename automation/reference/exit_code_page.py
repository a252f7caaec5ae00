"""The exit codes of `inv`: those of the errors, and the few that are a result."""

from automation.system import errors, markdown
from automation.system.errors import AutomationError

_RESULTS = {
    0: "Done.",
    AutomationError.exit_code: "A bug, which prints a traceback, or a command line that cannot be parsed.",
    errors.CHANGES: "`inv diff`: a deployment would change something.",
    errors.INTERRUPTED: "Interrupted; after the word detached, CloudFormation goes on with the change.",
    errors.BROKEN_PIPE: "The reader of the output closed the pipe, as `head` does.",
}


def codes() -> dict[int, str]:
    """Return the meaning of each exit code, in ascending order."""
    # Errors elsewhere share one of these codes.
    general = [error for error in AutomationError.__subclasses__() if error.__module__ == errors.__name__]
    failures = {error.exit_code: (error.__doc__ or "").partition("\n")[0] for error in general}
    return dict(sorted({**failures, **_RESULTS}.items()))


def page() -> str:
    """Return the page."""
    rows = [(str(code), meaning) for code, meaning in codes().items()]
    table = markdown.table(("code", "meaning"), rows, cell=markdown.with_code)
    return f"# The exit codes of inv\n\n{table}\n\nNox knows only 0 and 1.\n"
