"""Look through an account for what a prune may delete; nothing is changed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Protocol

from automation.deploying import bootstrap_stack, candidates
from automation.deploying.connections import Table
from automation.deploying.pruning import retention, selection
from automation.deploying.pruning.selection import InUse, Selection
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release
from automation.deploying.sessions import Session
from automation.system import console
from automation.system.errors import CheckFailedError, DeploymentError, Finding
from automation.system.leftovers import FunctionVersion, LayerContent, LayerVersion, StoredObject, WaitingChangeSet
from automation.system.stacks import StackResource, Stage

MIN_AGE = timedelta(days=1)
ALL = 1_000_000
_CONCURRENT_CALLS = 8
_FUNCTION = "AWS::Lambda::Function"
_LAYER = "AWS::Lambda::LayerVersion"


class Versions(Protocol):
    """The calls to Lambda; lambda_versions.LambdaVersions is the real one."""

    def function_versions(self, function: str) -> tuple[FunctionVersion, ...]:
        """Return the published versions of a function."""
        ...

    def aliased_versions(self, function: str) -> frozenset[int]:
        """Return the versions that an alias of a function sends requests to."""
        ...

    def layer_users(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Return the layers of each version of each function of the account, by function and version."""
        ...

    def layer_versions(self, layer: str) -> tuple[LayerVersion, ...]:
        """Return the versions of a layer."""
        ...

    def layer_content(self, arn: str) -> LayerContent:
        """Return the digest and the size of a layer version."""
        ...

    def delete_function_version(self, version: FunctionVersion) -> None:
        """Delete a version of a function; do nothing when it is missing."""
        ...

    def delete_layer_version(self, version: LayerVersion) -> None:
        """Delete a version of a layer; do nothing when it is missing."""
        ...


class Objects(Protocol):
    """The calls to S3; stored_objects.StoredObjects is the real one."""

    def versions(self, bucket: str, folder: str, *, owner: str) -> tuple[StoredObject, ...]:
        """Return every version of the objects in a folder and below it."""
        ...

    def delete(self, objects: Sequence[StoredObject], *, owner: str) -> None:
        """Delete versions of objects of one bucket for ever; missing ones are skipped."""
        ...


class ChangeSets(Protocol):
    """The call to CloudFormation; cloudformation.CloudFormation is the real one."""

    def waiting_change_sets(self, stack: str) -> tuple[WaitingChangeSet, ...]:
        """Return the change sets of a stack that nobody has executed."""
        ...


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a prune asks and deletes, besides what every deployment asks.

    Attributes:
        tables: returns the tables of releases in the account whose names fit a pattern, that of this one included.
    """

    versions: Versions
    objects: Objects
    change_sets: ChangeSets
    tables: Callable[[str], Sequence[Table]]


def select(session: Session, leftovers: Leftovers, *, newest: int, min_age: timedelta = MIN_AGE) -> Selection:
    """Choose what a prune deletes.

    Args:
        newest: how many of the newest releases stay restorable.
        min_age: what is younger stays.

    Raises:
        CheckFailedError: another environment, which may use the same artifacts, is being deployed.
        DeploymentError: AWS did not answer.
    """
    young_since = session.connections.table.read_lock().now - min_age
    known = releases.read(session.connections.table, limit=ALL)
    # Not the session's: it only looks at the newest releases.
    running = releases.running(known, session.states)
    numbers = retention.kept(known, running, newest=newest, young_since=young_since)
    staying = [release for release in known if release.number in numbers]
    leaving = tuple(release for release in known if release.number not in numbers and not release.pruned)

    objects = _artifacts(known, leftovers.objects, owner=session.identity.account)
    resources = _resources(session)
    restorable = [*staying, *_neighbours(session, leftovers.tables(_sharing(session, known)))]
    in_use = InUse(
        digests=_digests(session, restorable, objects),
        physical_ids=frozenset(resource.physical_id for resource in resources),
        young_since=young_since,
    )
    functions = _old_functions(resources, leftovers.versions, in_use)
    return Selection(
        releases=leaving,
        change_sets=_old_change_sets(session, leftovers.change_sets, in_use),
        functions=functions,
        layers=_old_layers(resources, functions, leftovers.versions, in_use),
        objects=selection.old_objects(objects, in_use),
    )


def _sharing(session: Session, known: Iterable[Release]) -> str:
    """Return what the tables of environments are called that may share artifacts with this one.

    The bucket of a pattern's bootstrap stack has artifacts of its temporary environments only, whose role may look at
    nothing else.

    Raises:
        DeploymentError: AWS did not answer.
    """
    scope, cloud = session.scope, session.connections.stacks
    if scope.environment.is_temporary:
        stacks = chain.from_iterable(release.stacks for release in known)
        buckets = {candidates.location(stack.template)[0] for stack in stacks if stack.template}
        outputs = bootstrap_stack.outputs(scope.name_patterns, cloud)
        if buckets <= {outputs.get(bootstrap_stack.BUCKET)}:
            return releases.table_name(scope.name_patterns)
    return f"*{releases.TABLE_SUFFIX}"


def _neighbours(session: Session, tables: Sequence[Table]) -> Iterator[Release]:
    """Yield the releases of other environments that can be restored: they may share artifacts with this one.

    Raises:
        CheckFailedError: one of the environments is being deployed, perhaps with an old artifact.
    """
    own = session.connections.table.name
    for table in tables:
        if table.name == own:
            continue
        reading = table.read_lock()
        if reading.lock is not None and reading.lock.expires_at > reading.now:
            lapses_at = f"{reading.lock.expires_at:%Y-%m-%d %H:%M} UTC"
            what = f"{reading.lock.deployer} is deploying with the same bucket; the lock lapses at {lapses_at}"
            fix = f"wait, then run inv prune --env {session.environment} again"
            finding = Finding(table.name.removesuffix(releases.TABLE_SUFFIX), what, fix)
            raise CheckFailedError("nothing was deleted", where=session.environment, findings=[finding])
        yield from (release for release in releases.read(table, limit=ALL) if not release.pruned)


def _artifacts(known: Iterable[Release], objects: Objects, *, owner: str) -> tuple[StoredObject, ...]:
    """Return the artifacts in every folder that a release was uploaded to."""
    stacks = chain.from_iterable(release.stacks for release in known)
    locations = [candidates.location(stack.template) for stack in stacks if stack.template]
    folders = {(bucket, key.rpartition("/")[0]) for bucket, key in locations}

    artifacts: list[StoredObject] = []
    for bucket, folder in sorted(folders):
        if not folder:
            # At the top of a bucket, objects of other programs may have such names too.
            console.warning(f"{bucket}: artifacts without an s3_prefix stay; set one in samconfig.toml")
            continue
        try:
            versions = objects.versions(bucket, folder, owner=owner)
        except DeploymentError as cause:
            console.warning(f"the artifacts in s3://{bucket}/{folder} stay: {cause}")
            continue
        artifacts += [entry for entry in versions if selection.is_artifact(entry.key, folder)]
    return tuple(artifacts)


def _digests(session: Session, restorable: Sequence[Release], objects: Sequence[StoredObject]) -> frozenset[str]:
    """Return the digests that releases use, and the deployed stacks, which somebody else may have changed."""
    cloud, store = session.connections.stacks, session.connections.store
    stored = {(entry.bucket, entry.key) for entry in objects if entry.is_latest}
    stacks = chain.from_iterable(release.stacks for release in restorable)
    unread = {candidates.location(stack.template) for stack in stacks} & stored

    texts = [json.dumps(releases.as_document(release)) for release in restorable]
    texts += [json.dumps(cloud.template(name, Stage.ORIGINAL)) for name in _created(session)]
    read: set[tuple[str, str]] = set()
    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        while unread:
            texts += [content.decode() for content in pool.map(lambda place: store.read(*place), unread)]
            read |= unread
            # SAM names the templates of nested stacks so; they name code in turn.
            digests = retention.digests_in(texts)
            nested = {(bucket, key) for bucket, key in stored if key.endswith(".template")}
            unread = {(bucket, key) for bucket, key in nested - read if selection.digest_of(key) in digests}
    return retention.digests_in(texts)


def _created(session: Session) -> list[str]:
    return [state.name for state in session.states if releases.is_created(state)]


def _resources(session: Session) -> tuple[StackResource, ...]:
    cloud = session.connections.stacks
    return tuple(chain.from_iterable(cloud.resources(name) for name in _created(session)))


def _old_functions(
    resources: Iterable[StackResource], versions: Versions, in_use: InUse
) -> tuple[FunctionVersion, ...]:
    names = [resource.physical_id for resource in resources if resource.type == _FUNCTION]
    published = {name: versions.function_versions(name) for name in names}
    aliased = {name: versions.aliased_versions(name) for name in names if published[name]}
    return selection.old_functions(chain.from_iterable(published.values()), aliased, in_use)


def _old_layers(
    resources: Iterable[StackResource], deleted: Sequence[FunctionVersion], versions: Versions, in_use: InUse
) -> dict[LayerVersion, LayerContent]:
    arns = [resource.physical_id for resource in resources if resource.type == _LAYER]
    names = sorted({arn.split(":")[-2] for arn in arns})  # …:layer:<name>:<version>
    if not names:
        return {}
    all_versions = chain.from_iterable(versions.layer_versions(name) for name in names)
    unused = selection.unused_layers(all_versions, versions.layer_users(), deleted, in_use)
    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        contents = pool.map(lambda version: versions.layer_content(version.arn), unused)
        return selection.old_layers(dict(zip(unused, contents, strict=True)), in_use)


def _old_change_sets(session: Session, cloud: ChangeSets, in_use: InUse) -> tuple[WaitingChangeSet, ...]:
    existing = [state.name for state in session.states if state.exists]
    waiting = chain.from_iterable(cloud.waiting_change_sets(name) for name in existing)
    return selection.old_change_sets(waiting, in_use)
