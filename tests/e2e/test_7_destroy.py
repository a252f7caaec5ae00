"""Prod on the emulator is destroyed and deployed again, killed in the middle of both: its data are there afterwards.

Every test starts from what the tests before it left, because a deployment takes seconds.
"""

import signal
from dataclasses import dataclass

import pytest

from tests.e2e.aws_proxy import AwsProxy
from tests.e2e.production import STACKS, VALUES, Finished, Interruptible, Production

DATA, TRADING = STACKS
DESTROY = ("destroy", "--env", "prod", "--yes", "--confirm", "prod")
DEPLOY = ("deploy", "--env", "prod", "--yes", *VALUES)
KILLED = -signal.SIGKILL
KEY = "destroyed and deployed"


@dataclass(frozen=True)
class Estate:
    """What a person has put into prod: an item, an object, a message and a switched parameter, and where."""

    prod: Production

    def ids(self) -> dict[str, str]:
        """Return the physical ids of what the templates retain, by stack and logical id."""
        ids: dict[str, str] = {}
        for stack in STACKS:
            template = self.prod.cloudformation.get_template(StackName=stack)["TemplateBody"]
            resources = self.prod.resources(stack)
            for name, resource in template["Resources"].items():
                if resource.get("DeletionPolicy", "").startswith("Retain"):
                    ids[f"{stack}/{name}"] = resources[name]
        return ids

    def fill(self) -> None:
        ids = self.ids()
        self.prod.put_item(KEY)
        self.prod.set_switch("enabled")
        self.prod.client("s3").put_object(Bucket=ids[f"{DATA}/Lake"], Key=KEY, Body=b"kept")
        self.prod.client("sqs").send_message(QueueUrl=ids[f"{DATA}/DataDlq"], MessageBody=KEY)

    def content(self, ids: dict[str, str]) -> tuple[bool, bytes, str, str]:
        """Return whether the item is there, the object, the message and the switch."""
        item = KEY in self.prod.item_keys(ids[f"{TRADING}/Ledger"])
        body = self.prod.client("s3").get_object(Bucket=ids[f"{DATA}/Lake"], Key=KEY)["Body"].read()
        received = self.prod.client("sqs").receive_message(QueueUrl=ids[f"{DATA}/DataDlq"], VisibilityTimeout=0)
        return item, body, received["Messages"][0]["Body"], self.prod.switch()


@pytest.fixture(scope="module")
def estate(prod: Production) -> Estate:
    """Deploy prod, unless an earlier test has, and fill it."""
    require(prod.inv(*DEPLOY), 0)
    estate = Estate(prod)
    estate.fill()
    return estate


@pytest.fixture(scope="module")
def ids(estate: Estate) -> dict[str, str]:
    return estate.ids()


def require(done: Finished, code: int, *parts: str) -> None:
    """Check the exit code and that the output has each part; a traceback is never right."""
    text = done.stdout + done.stderr
    assert (done.returncode, "Traceback" in text) == (code, False), text
    assert [part for part in parts if part not in text] == [], text


def kill_at(operation: str, words: tuple[str, ...], proxy: AwsProxy, prod: Production) -> int:
    """Run a command, and kill it right after AWS has answered an operation for the first time."""
    running: list[Interruptible] = []

    def kill() -> None:
        running[0].interrupt()

    proxy.call_at(operation, kill)
    running.append(prod.interruptible(*words, endpoint=proxy.url, by=signal.SIGKILL))
    return running[0].finish().returncode


def test_stacks_are_protected_and_status_says_so(estate: Estate) -> None:
    assert [estate.prod.stack(name)["EnableTerminationProtection"] for name in STACKS] == [True, True]
    with pytest.raises(estate.prod.cloudformation.exceptions.ClientError, match="TerminationProtection is enabled"):
        estate.prod.cloudformation.delete_stack(StackName=TRADING)


def test_destroy_needs_the_typed_name(estate: Estate) -> None:
    require(estate.prod.inv("destroy", "--env", "prod", "--yes"), 2, "--confirm prod")
    require(estate.prod.inv("destroy", "--env", "prod"), 2, "--yes --confirm prod")


def test_killed_destroy_is_finished_by_the_same_command(estate: Estate, ids: dict[str, str], proxy: AwsProxy) -> None:
    killed = kill_at("DeleteStack", DESTROY, proxy, estate.prod)

    require(estate.prod.inv(*DESTROY), 0, f"{ids[f'{TRADING}/Ledger']}, ", "stays", "prod is destroyed")

    assert killed == KILLED
    existing = {stack["StackName"] for stack in estate.prod.cloudformation.describe_stacks()["Stacks"]}
    assert existing.isdisjoint(STACKS)
    assert estate.content(ids) == (True, b"kept", KEY, "enabled")


def test_killed_adoption_is_finished_by_the_same_command(estate: Estate, ids: dict[str, str], proxy: AwsProxy) -> None:
    killed = kill_at("ExecuteChangeSet", DEPLOY, proxy, estate.prod)

    require(estate.prod.inv(*DEPLOY), 0, f"adopt {ids[f'{TRADING}/Ledger']}, ", "smoke test passed")

    assert killed == KILLED
    assert estate.ids() == ids
    assert estate.content(ids) == (True, b"kept", KEY, "enabled")


@pytest.mark.slow
def test_named_data_are_deleted_and_created_anew(estate: Estate, ids: dict[str, str]) -> None:
    """Retained data go only when they are named; everything else is adopted again."""
    names = ("--delete-data", "Ledger", "--delete-data", "Lake")
    require(estate.prod.inv(*DESTROY, *names), 0, "Ledger: deleted", "Lake: deleted")
    require(estate.prod.inv(*DESTROY, *names), 0, "nothing to destroy")
    require(estate.prod.inv(*DEPLOY), 0, "smoke test passed")

    new = estate.ids()
    assert {name for name in ids if new[name] != ids[name]} == {f"{TRADING}/Ledger", f"{DATA}/Lake"}
    assert estate.prod.item_keys(new[f"{TRADING}/Ledger"]) == []
    assert estate.prod.switch() == "enabled"
