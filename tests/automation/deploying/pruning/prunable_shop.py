"""An account with a long history: 25 releases of two stacks, each with a template, a zip and a layer of its own.

r25 runs, and passed its test; r1 is the oldest. All of it is older than a day, as the account counts time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from automation.deploying import sessions
from automation.deploying.pruning.survey import Leftovers
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack, Smoke, Status
from automation.deploying.scope import Scope
from automation.system.digests import base64_of
from automation.system.files import digest
from automation.system.leftovers import FunctionVersion, LayerContent, LayerVersion, StoredObject, WaitingChangeSet
from tests.automation.deploying.fake_accounts import PUSHED
from tests.automation.fake_aws import FakeAws, FakeStore
from tests.automation.fake_stacks import FakeStack
from tests.automation.fake_templates import Content

if TYPE_CHECKING:
    from automation.deploying.connections import Table

BUCKET, FOLDER, ACCOUNT = "shop-artifacts", "alchemiser", "123456789012"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
OLD = NOW - timedelta(days=1)
NUMBERS = range(1, 26)


@dataclass
class FakeVersions:
    """Lambda's versions; `deleted` are those that were deleted, in order, as `till:3`."""

    functions: dict[str, list[FunctionVersion]] = field(default_factory=dict)
    aliased: dict[str, frozenset[int]] = field(default_factory=dict)
    layers: dict[str, dict[LayerVersion, LayerContent]] = field(default_factory=dict)
    users: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    looks_at_users: int = 0

    def function_versions(self, function: str) -> tuple[FunctionVersion, ...]:
        return tuple(self.functions.get(function, ()))

    def aliased_versions(self, function: str) -> frozenset[int]:
        return self.aliased.get(function, frozenset())

    def layer_users(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        self.looks_at_users += 1
        return self.users

    def layer_versions(self, layer: str) -> tuple[LayerVersion, ...]:
        return tuple(self.layers.get(layer, ()))

    def layer_content(self, arn: str) -> LayerContent:
        self.asked.append(arn)
        (content,) = [entry[version] for entry in self.layers.values() for version in entry if version.arn == arn]
        return content

    def delete_function_version(self, version: FunctionVersion) -> None:
        self.deleted.append(f"{version.function}:{version.version}")
        self.functions[version.function].remove(version)
        self.users.pop((version.function, str(version.version)), None)

    def delete_layer_version(self, version: LayerVersion) -> None:
        self.deleted.append(f"{version.layer}:{version.version}")
        del self.layers[version.layer][version]


@dataclass
class FakeObjects:
    """S3's versions of objects.

    Attributes:
        store: has the latest versions, which are old.
        young: the keys of those that are young.
        replaced: the versions that are not the latest.
        failing: the errors of buckets.
        deleted: the versions that were deleted, in order.
    """

    store: FakeStore
    young: set[str] = field(default_factory=set)
    replaced: list[StoredObject] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def versions(self, bucket: str, folder: str, *, owner: str) -> tuple[StoredObject, ...]:
        assert owner == ACCOUNT
        if bucket in self.failing:
            raise self.failing[bucket]
        objects = [
            StoredObject(name, key, "v1", len(content), OLD + timedelta(seconds=key in self.young))
            for (name, key), content in self.store.objects.items()
        ]
        return tuple(
            entry
            for entry in [*objects, *self.replaced]
            if entry.bucket == bucket and entry.key.startswith(f"{folder}/")
        )

    def delete(self, objects: Sequence[StoredObject], *, owner: str) -> None:
        assert owner == ACCOUNT
        assert len({entry.bucket for entry in objects}) == 1
        for entry in objects:
            self.deleted.append(f"{entry.key} {entry.version_id}")
            self.store.objects.pop((entry.bucket, entry.key), None)
        self.replaced = [entry for entry in self.replaced if entry not in objects]


@dataclass
class FakeChangeSets:
    """CloudFormation's change sets that nobody has executed."""

    waiting: list[WaitingChangeSet] = field(default_factory=list)

    def waiting_change_sets(self, stack: str) -> tuple[WaitingChangeSet, ...]:
        return tuple(entry for entry in self.waiting if entry.stack_name == stack)


class PrunableShop:
    """The account."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        self.aws.table.now = NOW
        self.versions = FakeVersions()
        self.objects = FakeObjects(self.aws.store)
        self.change_sets = FakeChangeSets()
        self.tables: list[Table] = [self.aws.table]
        for number in NUMBERS:
            self.add_release(number)
        self._deploy(NUMBERS[-1])

    def session(self, scope: Scope) -> sessions.Session:
        return sessions.begin(scope, self.aws.connect(scope), PUSHED)

    def leftovers(self) -> Leftovers:
        return Leftovers(
            self.versions,
            self.objects,
            self.change_sets,
            lambda pattern: [table for table in self.tables if fnmatchcase(table.name, pattern)],
        )

    def put(self, text: str, suffix: str, *, bucket: str = BUCKET, folder: str = FOLDER) -> str:
        """Store a content under its digest, and return the digest."""
        sha256 = digest(text.encode())
        self.aws.store.objects[bucket, f"{folder}/{sha256}{suffix}" if folder else f"{sha256}{suffix}"] = text.encode()
        return sha256

    def stored(self) -> set[str]:
        return {key for _, key in self.aws.store.objects}

    def release(self, number: int) -> Release:
        (release,) = [release for release in releases.read(self.aws.table) if release.number == number]
        return release

    def change(self, number: int, **changes: Any) -> None:
        """Change the record of a release."""
        releases.save(self.aws.table, replace(self.release(number), **changes))

    def pruned(self) -> list[int]:
        return [release.number for release in releases.read(self.aws.table) if release.pruned]

    def add_release(self, number: int, *, folder: str = FOLDER) -> None:
        code = self.put(f"code of r{number}", ".zip", folder=folder)
        layer = self.put(f"layer of r{number}", ".zip", folder=folder)
        template = self.put(template_of(number), ".json", folder=folder)
        location = f"s3://{BUCKET}/{folder}/{template}.json" if folder else f"s3://{BUCKET}/{template}.json"
        stacks = [
            ReleasedStack("base", "shop-live-base", template=location, stack_id="arn:base"),
            ReleasedStack(
                "app", "shop-live", template=location, stack_id="arn:app", code={"Till": code, "Code": layer}
            ),
        ]
        moment = (OLD - timedelta(hours=100 - number)).isoformat()
        release = Release(
            commit="c" * 40,
            created_at=moment,
            status=Status.DEPLOYED,
            smoke=Smoke.PASSED,
            plan=f"s3://{BUCKET}/{folder}/{self.put(f'plan of r{number}', '.json', folder=folder)}.json",
            contracts=f"s3://{BUCKET}/{folder}/{self.put(f'contracts of r{number}', '.json', folder=folder)}.json",
            stacks=tuple(replace(stack, changed_at=moment, content_of=number) for stack in stacks),
        )
        self.aws.table.add(releases.as_document(release))
        self._publish(number, code, layer)

    def _publish(self, number: int, code: str, layer: str) -> None:
        arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:code:{number}"
        version = LayerVersion("code", number, arn, OLD)
        self.versions.layers.setdefault("code", {})[version] = LayerContent(base64_of(layer), 100)
        function = FunctionVersion("till", number, f"arn:till:{number}", base64_of(code), 10, OLD, (arn,))
        self.versions.functions.setdefault("till", []).append(function)
        self.versions.users["till", str(number)] = (arn,)

    def _deploy(self, number: int) -> None:
        """Let the stacks be as a release left them."""
        release, stacks = self.release(number), self.aws.stacks.stacks
        for stack in release.stacks:
            stacks[stack.stack_name] = FakeStack(
                stack.stack_name, stack.stack_id, "UPDATE_COMPLETE", stack.changed_at, Content(RESOURCES)
            )
            stacks[stack.stack_name].physical_ids = {
                "Till": "till",
                "Code": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:code:{number}",
            }
        self.versions.users["till", "$LATEST"] = (stacks["shop-live"].physical_ids["Code"],)


RESOURCES = {"Resources": {"Till": {"Type": "AWS::Lambda::Function"}, "Code": {"Type": "AWS::Lambda::LayerVersion"}}}


def template_of(number: int) -> str:
    return json.dumps({**RESOURCES, "Metadata": {"Release": f"r{number}"}})
