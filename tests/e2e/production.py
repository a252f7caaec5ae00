"""A copy of the project that is deployed to prod on the emulator, in an account of its own.

Tests edit templates and code in the copy. It has a git repository with a remote, so that a committed change is clean
and pushed. Its prod trades with the paper exchange, at any hour; everything else is the project as it lies here.
"""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET, SECOND_KEY
from tests.e2e.edits import Edit

if TYPE_CHECKING:
    from tests.e2e.conftest import Sandbox

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"  # the one that pyproject.toml pins
STACKS = ("alchemiser-prod-data", "alchemiser-prod")
SECRET, SECOND_SOURCE_SECRET = "/alchemiser/prod/broker", "/alchemiser/prod/second-source"
SWITCH = "/alchemiser/prod/trading"
# What the first deployment of an environment asks for; later ones keep it.
ADDRESSES = {"AlertsTo": "alerts@fund.test", "MailFrom": "bot@fund.test", "MailTo": "desk@fund.test"}
VALUES = tuple(chain.from_iterable(("--set", f"{name}={value}") for name, value in ADDRESSES.items()))
_FUNCTION = "MetricsFunction"
_HASH = 10  # the hexadecimal digits that SAM adds to the logical id of a layer
_BROKER = '"BrokerTradingUrl=https://api.alpaca.markets"'
_CLOCK_GUARD = re.compile(r'"[\w.]+:market_hours",?\s*')

type Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Production:
    """The copy, and what it deploys to.

    Attributes:
        canary: a part of the broker's secret that is nowhere else.
    """

    root: Path
    sandbox: "Sandbox"
    canary: str

    # Commands.

    def inv(self, *words: str, endpoint: str = "", text: str = "", **variables: str) -> Finished:
        """Run `inv` in the copy without a terminal; it accepts every exit code.

        Args:
            endpoint: the proxy's URL instead of the emulator's.
            text: what the command reads from stdin.
        """
        return subprocess.run(
            self._command(words),
            cwd=self.root,
            env=self._environment(endpoint, variables),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def interruptible(self, *words: str, endpoint: str, by: signal.Signals = signal.SIGINT) -> "Interruptible":
        """Start `inv` in the copy; the caller sends it a signal."""
        process = subprocess.Popen(
            self._command(words),
            cwd=self.root,
            env=self._environment(endpoint, {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Interruptible(process, by)

    def deploy(self, *words: str, endpoint: str = "") -> Finished:
        return self.inv("deploy", "--env", "prod", "--yes", *words, endpoint=endpoint)

    def diff(self, *words: str, endpoint: str = "") -> Finished:
        return self.inv("diff", "--env", "prod", *words, endpoint=endpoint)

    def releases(self) -> list[dict[str, Any]]:
        """Return the releases as `inv releases --json` prints them, the newest first."""
        releases: list[dict[str, Any]] = self._listed()["releases"]
        return releases

    def running(self) -> int | None:
        """Return the number of the release that runs."""
        running: int | None = self._listed()["running"]
        return running

    def _listed(self) -> dict[str, Any]:
        done = self.inv("releases", "--env", "prod", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        listed: dict[str, Any] = json.loads(done.stdout)
        return listed

    # The copy.

    @contextmanager
    def edited(self, path: str, *edits: Edit) -> Iterator[None]:
        """Commit and push edits of a file; take them back when the context ends."""
        base = self.commit()
        try:
            self.edit(path, *edits)
            self.publish("edit")
            yield
        finally:
            self._git("reset", "--hard", "--quiet", base)
            self._git("push", "--force", "--quiet", "origin", "HEAD:main")

    def edit(self, path: str, *edits: Edit) -> None:
        """Edit a file, and leave it at that."""
        text = before = (self.root / path).read_text()
        for edit in edits:
            text = edit(text)
        assert text != before, f"{path} is as before"
        (self.root / path).write_text(text)

    def commit(self) -> str:
        return self._git("rev-parse", "HEAD")

    def publish(self, message: str) -> None:
        """Commit everything, and push it."""
        publish(self.root, message)

    # The account.

    def client(self, service: str) -> Any:
        return self.sandbox.client(service, account=ACCOUNT)

    @cached_property
    def cloudformation(self) -> Any:
        return self.client("cloudformation")

    @cached_property
    def functions(self) -> Any:
        return self.client("lambda")

    def resources(self, stack: str = STACKS[1]) -> dict[str, str]:
        """Return the physical ids of a stack's resources, by logical id."""
        resources = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def stack(self, name: str = STACKS[1]) -> dict[str, Any]:
        described: dict[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return described

    def changed_at(self) -> list[str]:
        """Return when each stack was last changed; equal lists mean that nothing was deployed in between."""
        return [str(self.stack(name).get("LastUpdatedTime")) for name in STACKS]

    def digests(self) -> dict[str, str]:
        """Return the CodeSha256 of each function and layer that runs, by stack and logical id without a hash."""
        return dict(chain.from_iterable(self._digests(stack) for stack in STACKS))

    def _digests(self, stack: str) -> Iterator[tuple[str, str]]:
        for logical_id, physical_id in self.resources(stack).items():
            if ":layer:" in physical_id:
                layer = self.functions.get_layer_version_by_arn(Arn=physical_id)
                yield f"{stack}/{logical_id[:-_HASH]}", layer["Content"]["CodeSha256"]
            elif logical_id.endswith("Function"):
                function = self.functions.get_function_configuration(FunctionName=physical_id)
                yield f"{stack}/{logical_id}", function["CodeSha256"]

    def layer_versions(self) -> int:
        """Return how many versions the layers of the stacks have."""
        physical_ids = chain.from_iterable(self.resources(stack).values() for stack in STACKS)
        names = {physical_id.split(":")[-2] for physical_id in physical_ids if ":layer:" in physical_id}
        return sum(len(self.functions.list_layer_versions(LayerName=name)["LayerVersions"]) for name in names)

    def publish_layer_version(self) -> str:
        """Publish a version of a layer that nothing uses, and return its ARN."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("unused.py", "")
        name = next(arn for arn in self.resources().values() if ":layer:" in arn).split(":")[-2]
        answer = self.functions.publish_layer_version(LayerName=name, Content={"ZipFile": packed.getvalue()})
        return str(answer["LayerVersionArn"])

    def publish_function_version(self) -> str:
        """Publish a version of a function with the code that runs, and return its number."""
        return str(self.functions.publish_version(FunctionName=self.resources()[_FUNCTION])["Version"])

    def function_versions(self) -> list[str]:
        """Return the versions of that function."""
        answer = self.functions.list_versions_by_function(FunctionName=self.resources()[_FUNCTION])
        return [version["Version"] for version in answer["Versions"]]

    def switch(self) -> str:
        """Return the value of the kill switch."""
        return str(self.client("ssm").get_parameter(Name=SWITCH)["Parameter"]["Value"])

    def set_switch(self, value: str) -> None:
        """Set the kill switch as a person does."""
        self.client("ssm").put_parameter(Name=SWITCH, Value=value, Overwrite=True)

    def table(self, logical_id: str = "Ledger") -> str:
        """Return the name of a table of the trading stack."""
        return self.resources()[logical_id]

    def put_item(self, key: str) -> None:
        """Write an item to the ledger."""
        item = {"pk": {"S": key}, "sk": {"S": "1"}, "run_id": {"S": "1"}}
        self.client("dynamodb").put_item(TableName=self.table(), Item=item)

    def item_keys(self, table: str) -> list[str]:
        """Return the keys of the items in a table."""
        return [item["pk"]["S"] for item in self.client("dynamodb").scan(TableName=table)["Items"]]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield what a person can read in the account without the right to read secrets, by its place."""
        s3, logs = self.client("s3"), self.client("logs")
        for bucket in s3.list_buckets()["Buckets"]:
            for entry in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
                content = s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
                yield entry["Key"], content.decode(errors="replace")
        for function in self.functions.list_functions()["Functions"]:
            yield function["FunctionName"], json.dumps(function["Environment"])
        for group in logs.describe_log_groups()["logGroups"]:
            yield (
                group["logGroupName"],
                json.dumps(logs.filter_log_events(logGroupName=group["logGroupName"])["events"]),
            )
        for stack in STACKS:
            yield stack, json.dumps(self.stack(stack), default=str)

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "invoke", *words]

    def _environment(self, endpoint: str, variables: Mapping[str, str]) -> dict[str, str]:
        credentials = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}
        return {**os.environ, "AWS_ENDPOINT_URL": endpoint or self.sandbox.emulator_url, **credentials, **variables}

    def _git(self, *words: str) -> str:
        return git(self.root, *words)


@dataclass(frozen=True)
class Interruptible:
    """A running `inv`, and the signal that interrupts it."""

    process: subprocess.Popen[str]
    by: signal.Signals

    def interrupt(self) -> None:
        self.process.send_signal(self.by)

    def finish(self) -> Finished:
        """Wait until it ends, and return its exit code and output."""
        out, err = self.process.communicate(timeout=600)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)


def make_production(folder: Path, sandbox: "Sandbox") -> Production:
    """Copy the project to a folder, and store the two secrets in the account."""
    production = Production(copy_project(folder, sandbox.exchange_url), sandbox, uuid4().hex)
    value = {"key": SANDBOX_KEY, "secret": SANDBOX_SECRET, "canary": production.canary}
    secrets = {SECRET: value, SECOND_SOURCE_SECRET: {"key": SECOND_KEY}}
    for name, content in secrets.items():
        production.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(content))
    return production


def copy_project(folder: Path, broker_url: str) -> Path:
    """Copy the project to a folder, commit and push it there; its prod trades at this broker."""
    root = folder / "project"
    _copy(root)
    _adapt(root, broker_url)

    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", "remote.git")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "config", "user.email", "tests@example.com")
    git(root, "config", "user.name", "tests")
    git(root, "remote", "add", "origin", str(folder / "remote.git"))
    publish(root, "copy")
    return root


def publish(root: Path, message: str) -> None:
    """Commit everything in a repository, and push it."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    git(root, "push", "--force", "--quiet", "origin", "HEAD:main")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder and return what it prints."""
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def _copy(root: Path) -> None:
    """Copy what git tracks or would track, and the build, which saves time; the tools' environments are linked."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    (root / ".tools").symlink_to(ROOT / ".tools")
    for folder in (".aws-sam", ".alchemiser"):
        # What another worker is about to rename may be gone a moment later.
        ignored = shutil.ignore_patterns("deployed", ".proven.*", ".validated.*")
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)


def _adapt(root: Path, broker_url: str) -> None:
    """Let prod trade with the paper exchange, whatever the time of day is."""
    samconfig, pyproject = root / "samconfig.toml", root / "pyproject.toml"
    broker = f'"BrokerTradingUrl={broker_url}", "BrokerDataUrl={broker_url}"'
    data = f'"Stage=prod", "SecondSourceUrl={broker_url}", {broker}'
    text = samconfig.read_text().replace(f'"Stage=prod", {_BROKER}', data)
    samconfig.write_text(text.replace(_BROKER, broker))
    pyproject.write_text(_CLOCK_GUARD.sub("", pyproject.read_text()))
