"""Dead letters of the deployed sandbox are listed, shown, redriven and dropped, and the logs of a run are merged."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.conftest import FIRST_DAY, ROOT, Inv, Sandbox

pytestmark = pytest.mark.usefixtures("first_day")

# Harmless, whenever and however often it is handled.
SWEEP = '{"command": "sweep-runs"}'


@pytest.fixture(scope="module")
def sqs(deployed: Sandbox) -> Any:
    return deployed.client("sqs")


@pytest.fixture(scope="module")
def queues(deployed: Sandbox) -> Mapping[str, str]:
    """Return the URLs of the trading stack's queues by logical id."""
    return deployed.resources("alchemiser-local")


@pytest.fixture
def sweep(sqs: Any, queues: Mapping[str, str]) -> str:
    """Put a message into a dead-letter queue, and return its id."""
    return str(sqs.send_message(QueueUrl=queues["CoordinatorDlq"], MessageBody=SWEEP)["MessageId"])


def call(inv: Inv, *words: str, code: int = 0) -> str:
    done = inv(*words, "--env", "local")
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
    return done.stdout


def await_empty(sqs: Any, url: str) -> None:
    """Wait until every message of an inbox is handled, or given up to its dead-letter queue."""
    while count(sqs, url):
        time.sleep(0.1)


def test_dead_letter_is_redriven_once(inv: Inv, sqs: Any, queues: Mapping[str, str], sweep: str) -> None:
    listed = json.loads(call(inv, "dlq.list", "--json", code=3))["queues"]
    shown = call(inv, "dlq.show", "CoordinatorDlq")
    first = call(inv, "dlq.redrive", "CoordinatorDlq", "--id", sweep)
    second = call(inv, "dlq.redrive", "CoordinatorDlq", "--id", sweep)

    waiting = {queue["name"]: (queue["waiting"], queue["sources"]) for queue in listed}
    assert waiting["CoordinatorDlq"] == (1, ["CoordinatorInbox"])
    assert len(waiting) == 10
    assert sweep in shown
    assert '"command": "sweep-runs"' in shown
    assert "sent 1 message\n" in first
    assert "nothing to redrive: CoordinatorDlq has no such messages" in second
    await_empty(sqs, queues["CoordinatorInbox"])
    assert "kind=SweepRuns" in call(inv, "logs", "--function", "coordinator_v2", "--run", "SweepRuns", "--since", "1m")
    assert count(sqs, queues["CoordinatorDlq"]) == 0


def test_dropped_message_is_saved_and_sent_again(inv: Inv, sqs: Any, queues: Mapping[str, str], sweep: str) -> None:
    output = call(inv, "dlq.drop", "CoordinatorDlq", "--id", sweep)

    path = re.findall(r"saved 1 message to (\S+)", output)[0]
    assert json.loads((ROOT / path).read_text(encoding="utf-8"))["body"] == SWEEP
    assert count(sqs, queues["CoordinatorDlq"]) == 0
    assert f"sent {sweep} to CoordinatorInbox" in call(inv, "dlq.redrive", "CoordinatorDlq", "--file", path)
    (ROOT / path).unlink()


def test_logs_of_a_run_are_merged(inv: Inv) -> None:
    run_id = f"local-{FIRST_DAY}"

    entries = [json.loads(line) for line in call(inv, "logs", "--run", run_id, "--since", "3h", "--json").splitlines()]

    moments = [entry["at"] for entry in entries]
    assert moments == sorted(moments)
    assert {"StrategyFunction", "ExecutionFunction", "NotificationsFunction"} <= {
        entry["function"] for entry in entries
    }
    assert all(run_id in json.dumps(entry["line"]) for entry in entries)


def count(sqs: Any, url: str) -> int:
    """Return how many messages a queue has, received or not."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])
