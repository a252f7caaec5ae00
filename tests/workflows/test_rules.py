"""What every job has: rights for what it does and no others, a time limit, pinned actions, and its turn to deploy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows.reading import FOLDER, Job, jobs, load

# Each digest was seen in the action's own repository, at the tag in the comment.
ACTIONS = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1": "v7.0.1",
    "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97": "v7.0.0",
    "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f": "v7.0.0",
    "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c": "v8.0.1",
}
EVENTS = {"push", "pull_request", "schedule", "workflow_dispatch"}
_DEPLOYS = re.compile(r"\binv (?:deploy|destroy)\b")
_CALLS_AWS = re.compile(r"\binv (?:deploy|destroy|diff)\b")
# Which environment of GitHub, and so which role in AWS, a command may have.
_ROLES = {
    "inv diff --env staging": "staging-plan",
    "inv deploy --env staging": "staging",
    "inv diff --env prod": "prod-plan",
    "inv deploy --env prod": "prod",
    "inv deploy --env pr-": "pr",
    "inv destroy --env pr-": "pr",
    "inv destroy --expired": "pr",
}


def faults(folder: Path) -> list[str]:
    """Return every broken rule."""
    found: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        workflow = load(path.read_text())
        events = workflow["on"] if isinstance(workflow["on"], dict) else {workflow["on"]: None}
        found += [f"{path.name}: {event}" for event in events if event not in EVENTS]
        found += [] if workflow.get("permissions") == {} else [f"{path.name}: permissions of the workflow"]
        found += [f"{path.name}: secrets"] if "secrets." in path.read_text() else []
    for job in jobs(folder):
        found += [f"{job.place}: {what}" for what in (*_rights(job), *_turns(job), *_steps(job))]
    return found


def _rights(job: Job) -> Iterator[str]:
    text = "\n".join(job.lines()).replace('"', "")
    expected = {"contents": "read"}
    expected |= {"id-token": "write"} if _CALLS_AWS.search(text) else {}
    is_of_pull_request = "pull_request" in load(job.text)["on"]
    expected |= {"pull-requests": "write"} if "--comment" in text and is_of_pull_request else {}
    if job.content.get("permissions") != expected:
        yield f"permissions {job.content.get('permissions')}, not {expected}"
    environments = {role for command, role in _ROLES.items() if command in text}
    if {job.environment} - {""} != environments:
        yield f"environment {job.environment}, not {environments}"
    for step in job.steps:
        variables = step.get("env") or {}
        line = step.get("run", "")
        if ("AWS_ROLE_ARN" in variables) != bool(_CALLS_AWS.search(line)):
            yield "AWS_ROLE_ARN"
        if ("GITHUB_TOKEN" in variables) != ("--comment" in line and is_of_pull_request):
            yield "GITHUB_TOKEN"


def _turns(job: Job) -> Iterator[str]:
    if not isinstance(job.content.get("timeout-minutes"), int):
        yield "timeout-minutes"
    lines = [line.replace('"', "") for line in job.lines() if _DEPLOYS.search(line)]
    if not lines:
        return
    turn = job.content.get("concurrency") or {}
    name = re.search(r"--env ([\w-]+)", lines[0])
    group = f"deploy-{name[1]}" if name else "destroy-expired"
    if turn.get("group", "").replace("${{ github.event.number }}", "12") != group:
        yield f"concurrency {turn.get('group')}, not {group}"
    # A deployment that is cut off in its middle leaves a release unfinished.
    if turn.get("cancel-in-progress") is not False:
        yield "cancel-in-progress"


def _steps(job: Job) -> Iterator[str]:
    for step in job.steps:
        if action := step.get("uses"):
            version = ACTIONS.get(action)
            if version is None or f"uses: {action} # {version}\n" not in job.text:
                yield f"action {action}"
            if action.startswith("actions/checkout@") and step["with"].get("persist-credentials") is not False:
                yield "persist-credentials"
        if "${{" in step.get("run", ""):
            yield f"an expression in the line {step['run']}"


def test_workflows_keep_the_rules() -> None:
    assert faults(FOLDER) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("pull-request.yml", "  pull_request:", "  pull_request_target:", "pull-request.yml: pull_request_target"),
        ("staging.yml", "permissions: {}", "permissions: write-all", "staging.yml: permissions of the workflow"),
        ("staging.yml", "vars.AWS_ROLE_ARN", "secrets.AWS_ROLE_ARN", "staging.yml: secrets"),
        (
            "pull-request.yml",
            "      pull-requests: write # for the comment\n",
            "",
            "sizes: permissions {'contents': 'read'}, not",
        ),
        ("pull-request.yml", "      contents: read\n", "      contents: write\n", "permissions {'contents': 'write'}"),
        ("prod.yml", "    environment: prod\n", "", "prod.yml: deploy: environment , not {'prod'}"),
        ("prod.yml", "environment: prod-plan", "environment: prod", "prod.yml: plan: environment prod, not"),
        ("prod.yml", "      cancel-in-progress: false", "      cancel-in-progress: true", "deploy: cancel-in-progress"),
        ("staging.yml", "group: deploy-staging", "group: staging", "concurrency staging, not deploy-staging"),
        ("staging.yml", "    timeout-minutes: 50\n", "", "staging.yml: deploy: timeout-minutes"),
        ("staging.yml", "persist-credentials: false", "persist-credentials: true", "persist-credentials"),
        ("staging.yml", "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "action actions/checkout@v7"),
        ("staging.yml", "# v7.0.1", "# v6.0.0", "action actions/checkout@3d3c42e5"),
        ("staging.yml", "--env staging --yes", '--env "${{ github.ref_name }}"', "an expression in the line"),
        (
            "staging.yml",
            "          AWS_ROLE_ARN: ${{ vars.AWS_ROLE_ARN }}\n",
            "          X: y\n",
            "deploy: AWS_ROLE_ARN",
        ),
        ("pull-request.yml", "          GITHUB_TOKEN: ${{ github.token }}\n", "", "GITHUB_TOKEN"),
    ],
)
def test_broken_rule_is_found(tmp_path: Path, file: str, old: str, new: str, fault: str) -> None:
    """Planted fault for each rule."""
    text = (FOLDER / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))

    assert any(fault in found for found in faults(tmp_path)), faults(tmp_path)


def test_destroy_and_deploy_of_a_pull_request_wait_for_each_other() -> None:
    groups = {job.name: job.content["concurrency"]["group"] for job in jobs() if job.environment == "pr"}

    assert groups["deploy"] == groups["destroy"] == "deploy-pr-${{ github.event.number }}"


def test_jobs_of_a_fork_get_no_role() -> None:
    """Each job with a role is for branches of this repository, or is skipped by `inv diff --comment`."""
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    roles = [job for job in jobs() if job.environment and "pull_request" in load(job.text)["on"]]
    open_to_forks = [job.name for job in roles if own not in job.content["if"]]

    assert open_to_forks == ["expired", "changes"]
    assert [job.content["if"].split("&& ")[-1] for job in roles if job.name == "expired"] == [
        "github.event_name != 'pull_request'"
    ]
    assert [line for job in roles if job.name == "changes" for line in job.lines() if "inv" in line] == [
        ".venv/bin/inv diff --env staging --comment"
    ]
