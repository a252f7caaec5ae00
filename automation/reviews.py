"""`--comment` of `inv size` and `inv diff`: their Markdown as a comment on the pull request, one for each command.

Where no comment is possible, it goes to the summary of the job: for a push or a tag, and for the pull request of a
fork, whose job may not write comments.
"""

import shlex
from collections.abc import Mapping, Sequence

from automation.system import console, github, web
from automation.system.errors import UsageError

MAX_CHARS = 65_536  # of a comment on GitHub
_CUT = "\n\n**Cut: the text was longer than a comment may be. The log of the job has the rest.**"
_DETAILS, _DETAILS_END = "<details>", "\n\n</details>"
_FORK = "This pull request comes from a fork, so its jobs may not write comments."


def publish(
    words: Sequence[str], markdown: str, *, variables: Mapping[str, str], service: web.Service | None = None
) -> None:
    """Publish the Markdown of a command.

    Args:
        words: of the command, such as `diff --env staging`; a later comment of the same words replaces this one.
        variables: the process's environment variables.
        service: GitHub's API; None for the one of the job.

    Raises:
        UsageError: this process is not in a job of GitHub Actions.
        ConfigurationError: the job has no token, or its event cannot be read.
        ToolError: GitHub did not answer, or refused it.
    """
    command = shlex.join(["inv", *words])
    job = github.job(variables)
    if job is None:
        message = "needs a job of GitHub Actions, whose event names the pull request; --markdown prints the same text"
        raise UsageError(message, where=f"{command} --comment")

    marker = f"<!-- {command} -->"
    if job.pull_request and not job.is_of_fork:
        text = fitted(f"{marker}\n{markdown}")
        url = github.comment(job, marker, text, service or github.service(variables))
        console.result(f"commented on pull request {job.pull_request}: {url}")
        return

    notes = f"{_FORK}\n\n" if job.is_of_fork else ""
    if github.add_to_summary(job, f"{notes}{markdown}"):
        console.result("written to the summary of the job")


def skip_of_fork(words: Sequence[str], *, variables: Mapping[str, str]) -> bool:
    """Return whether the job is for a fork, which has no credentials; the summary of the job then says so."""
    job = github.job(variables)
    if job is None or not job.is_of_fork:
        return False
    command = shlex.join(["inv", *words])
    reason = f"skipped: this pull request comes from a fork, whose jobs have no credentials; run {command} yourself"
    github.add_to_summary(job, reason)
    console.result(reason)
    return True


def fitted(text: str) -> str:
    """Return a text that GitHub accepts: a long one is cut at the end of a line, and what it folds is closed."""
    if len(text) <= MAX_CHARS:
        return text
    # Every section that is cut open takes an end of its own.
    room = MAX_CHARS - len(_CUT) - len(_DETAILS_END)
    start = text[:room]
    start = start[: max(start.rfind("\n"), 0)] or start
    is_open = start.count(_DETAILS) > start.count(_DETAILS_END.strip())
    return f"{start}{_DETAILS_END if is_open else ''}{_CUT}"
