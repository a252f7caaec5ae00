"""A function by one command: deployed as it is, reached by its message or its schedule, in every list; then removed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Sandbox
from tests.e2e.production import copy_project, git

STACK, BUS = "alchemiser-local", "alchemiser-local-data-bus"
NAMES = ("watch_risk", "count_days")
FUNCTIONS = ("WatchRiskFunction", "CountDaysFunction")
MESSAGE = {"message_id": "a-run/WatchRiskRequested/run", "run_id": "a-run", "occurred_at": "2022-03-16T19:45:00Z"}
WAIT_S = 30.0


@pytest.fixture(scope="module")
def project(deployed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with a function for a message and one for a schedule, deployed to local."""
    root = copy_project(tmp_path_factory.mktemp("functions"), deployed.exchange_url)
    inv(root, "new-function", NAMES[0], "--description", "Watches the risk")
    inv(root, "new-function", NAMES[1], "--trigger", "schedule")
    inv(root, "deploy", "--env", "local")
    return root


@pytest.fixture(scope="module")
def resources(project: Path, deployed: Sandbox) -> dict[str, str]:
    return deployed.resources(STACK)


def inv(root: Path, *words: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run `inv` in a project, which must end with one of the codes; return what it prints."""
    argv = [sys.executable, "-m", "invoke", *words]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


def handled(sandbox: Sandbox, log_group: str) -> list[str]:
    """Return the kinds of what a function has handled, once there is something."""
    until = time.monotonic() + WAIT_S
    kinds: list[str] = []
    while not kinds and time.monotonic() < until:
        lines = sandbox.client("logs").filter_log_events(logGroupName=log_group)["events"]
        kinds = [entry["kind"] for entry in entries(lines) if entry.get("message") == "handled"]
        time.sleep(0.2)
    return kinds


def entries(lines: list[Any]) -> Iterator[dict[str, Any]]:
    return (json.loads(line["message"]) for line in lines if line["message"].startswith("{"))


def test_new_function_receives_its_message_from_the_bus(deployed: Sandbox, resources: dict[str, str]) -> None:
    event = {"EventBusName": BUS, "Source": "alchemiser.trading", "DetailType": "WatchRiskRequested"}
    deployed.client("events").put_events(Entries=[{**event, "Detail": json.dumps(MESSAGE)}])

    assert handled(deployed, resources["WatchRiskLogs"]) == ["WatchRiskRequested"]


def test_new_function_does_what_its_schedule_sends(deployed: Sandbox, resources: dict[str, str]) -> None:
    names = {"Name": resources["CountDaysSchedule"], "GroupName": resources["Schedules"]}
    target = deployed.client("scheduler").get_schedule(**names)["Target"]

    deployed.client("sqs").send_message(QueueUrl=resources["CountDaysInbox"], MessageBody=target["Input"])

    assert target["Arn"].endswith(resources["CountDaysInbox"].rpartition("/")[2])
    assert handled(deployed, resources["CountDaysLogs"]) == ["RunCountDays"]


def test_new_function_is_in_size_prove_status_and_docs(project: Path) -> None:
    sized, proven = json.loads(inv(project, "size", "--json")), json.loads(inv(project, "prove", *FUNCTIONS, "--json"))
    # 3: an earlier test may have left a message among the dead letters.
    status = inv(project, "status", "--env", "local", codes=(0, 3)).splitlines()
    [shown] = [line for line in status if line.startswith("functions of trading: ")]

    for report in (sized, proven):
        assert {*FUNCTIONS} <= {function["name"] for function in report["functions"]}
    assert {*FUNCTIONS} <= {*shown.removeprefix("functions of trading: ").split(", ")}
    assert "| `watch_risk` | trading | bus | Watches the risk |" in (project / "docs/architecture.md").read_text()


@pytest.mark.slow
def test_new_function_passes_the_checks_of_the_repository(project: Path) -> None:
    tests = ["tests/templates/test_messaging.py"]
    tests += [f"tests/the_alchemiser/{name}" for name in (*NAMES, "test_health.py")]
    folders = ["the_alchemiser", "tests/the_alchemiser", "tests/templates", "desk"]
    about_them = ["-k", " or ".join((*NAMES, "test_messaging"))]
    checks = (["ruff", "check", *folders], ["ruff", "format", "--check", *folders], ["pytest", *about_them, *tests])
    for words in checks:
        done = subprocess.run([sys.executable, "-m", *words], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_removed_functions_leave_the_tree_as_it_was(project: Path) -> None:
    assert git(project, "status", "--porcelain") != ""

    for name in NAMES:
        inv(project, "remove-function", name)

    assert git(project, "status", "--porcelain") == ""
