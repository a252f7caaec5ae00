"""The job of GitHub Actions that this process is in: its pull request, its comments and its summary."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from automation.system import web
from automation.system.errors import ConfigurationError, ToolError

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_API = "https://api.github.com"
_PAGE = 100  # the most that GitHub sends at once
_SERVICE = "GitHub's API"
_PERMISSION = "give the job the permission pull-requests: write"


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        pull_request: the number of its pull request; 0 without one.
        is_of_fork: whether the pull request comes from another repository, so that the job has no rights here.
        summary: the file whose Markdown GitHub shows with the job; None without one.
    """

    repository: str
    api_url: str
    pull_request: int = 0
    is_of_fork: bool = False
    summary: Path | None = None


def job(variables: Mapping[str, str]) -> Job | None:
    """Return the job that this process is in; None outside GitHub Actions.

    Args:
        variables: the process's environment variables.

    Raises:
        ConfigurationError: the file of the event cannot be read.
    """
    path, repository = (variables.get(name) or "" for name in ("GITHUB_EVENT_PATH", "GITHUB_REPOSITORY"))
    if not path or not _REPOSITORY.fullmatch(repository):
        return None
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
        pull_request = event.get("pull_request") or {}
        number, origin = int(pull_request.get("number", 0)), _origin(pull_request)
    except (OSError, ValueError, TypeError, AttributeError) as cause:
        raise ConfigurationError(f"the event of the job cannot be read: {cause}", where=path) from cause
    summary = variables.get("GITHUB_STEP_SUMMARY")
    return Job(
        repository=repository,
        api_url=(variables.get("GITHUB_API_URL") or _API).rstrip("/"),
        pull_request=number,
        is_of_fork=bool(number) and origin.lower() != repository.lower(),
        summary=Path(summary) if summary else None,
    )


def comment(job: Job, marker: str, body: str, service: web.Service) -> str:
    """Write the comment that has a marker: update the one that this job's user has written, or create it.

    Args:
        marker: the first line of the comment, which GitHub does not show.
        body: with the marker; at most 65,536 characters.

    Returns:
        Its URL.

    Raises:
        ToolError: GitHub did not answer, or refused it.
    """

    # After a lost answer the comment may exist: look again before it is created.
    def update_or_create() -> web.Answer:
        own = next(_own(job, marker, service), None)
        if own is not None:
            return service.send("PATCH", f"{_comments(job)}/{own}", {"body": body})
        return service.send("POST", f"{_issue(job)}/comments", {"body": body})

    answer = service.repeat(update_or_create)
    if not answer.is_ok:
        raise ToolError(f"GitHub refused the comment: {answer.message}; {_PERMISSION}", where=_SERVICE)
    return str(answer.body.get("html_url") or "") if isinstance(answer.body, dict) else ""


def service(variables: Mapping[str, str]) -> web.Service:
    """Return the connection to the API with the job's token.

    Raises:
        ConfigurationError: the job has no token.
    """
    token = variables.get("GITHUB_TOKEN")
    if not token:
        message = "is missing; add env: {GITHUB_TOKEN: ${{ github.token }}} to the step"
        raise ConfigurationError(message, where="GITHUB_TOKEN")
    return web.Service(_SERVICE, token)


def add_to_summary(job: Job, body: str) -> bool:
    """Add Markdown to the summary of the job, and return whether it has one."""
    if job.summary is None:
        return False
    with job.summary.open("a", encoding="utf-8") as file:
        file.write(f"{body}\n\n")
    return True


def _own(job: Job, marker: str, service: web.Service) -> Iterator[int]:
    """Yield the ids of the comments with a marker that a program has written; anybody may write a marker."""
    for page in count(1):
        answer = service.send("GET", f"{_issue(job)}/comments?per_page={_PAGE}&page={page}")
        if not answer.is_ok or not isinstance(answer.body, list):
            raise ToolError(f"the comments cannot be read: {answer.message}; {_PERMISSION}", where=_SERVICE)
        for entry in answer.body:
            with suppress(KeyError, TypeError, AttributeError, IndexError):
                if entry["user"]["type"] == "Bot" and entry["body"].splitlines()[0].strip() == marker:
                    yield int(entry["id"])
        if len(answer.body) < _PAGE:
            return


def _issue(job: Job) -> str:
    return f"{job.api_url}/repos/{job.repository}/issues/{job.pull_request}"


def _comments(job: Job) -> str:
    return f"{job.api_url}/repos/{job.repository}/issues/comments"


def _origin(pull_request: Mapping[str, Any]) -> str:
    """Return the repository that a pull request comes from; a word without a slash when that was deleted."""
    return str(((pull_request.get("head") or {}).get("repo") or {}).get("full_name"))
