"""Upload zips and templates under their digests, each content once: `<prefix>/<sha256>.zip`, `<prefix>/<sha256>.json`.

A key names its content, so a deployment never changes the code of another one, an interrupted upload leaves nothing
wrong, and a rollback finds exactly the artifacts that ran.
"""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from automation.building import outputs
from automation.building.built import CODE_KEYS
from automation.project.environments import StackSettings
from automation.system import console, files
from automation.system.errors import DeploymentError
from automation.system.stacks import StackDescription

MANAGED_STACK = "aws-sam-cli-managed-default"
_MANAGED_BUCKET = "SourceBucket"
BOOTSTRAP_BUCKET = "ArtifactBucket"
_PREFIX = "alchemiser"
_CONCURRENT_UPLOADS = 8

type Package = Callable[[], Mapping[str, Any]]


class Store(Protocol):
    """The calls to S3 that uploads need; object_store.ObjectStore is the real one."""

    def url(self, bucket: str, key: str) -> str:
        """Return the URL of an object as CloudFormation reads it."""
        ...

    def require_usable(self, bucket: str) -> None:
        """Raise ConfigurationError for a bucket that is missing, forbidden or in another region."""
        ...

    def has(self, bucket: str, key: str, *, sha256: str) -> bool:
        """Return whether an object with this content exists."""
        ...

    def put(self, bucket: str, key: str, content: bytes, *, sha256: str) -> None:
        """Write an object whose content has this SHA-256."""
        ...

    def read(self, bucket: str, key: str) -> bytes:
        """Return the content of an object."""
        ...


class Cloud(Protocol):
    """The call to CloudFormation that uploads need; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its outputs; without a status when there is no such stack."""
        ...


@dataclass(frozen=True, slots=True)
class CodeBucket:
    """Where the code and the templates of a stack are uploaded to."""

    name: str
    prefix: str

    def key(self, sha256: str, suffix: str) -> str:
        """Return the key of a content, such as `alchemiser/<sha256>.zip`."""
        return f"{self.prefix}/{sha256}{suffix}" if self.prefix else f"{sha256}{suffix}"


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded template.

    Attributes:
        template: as it was uploaded, with the locations of the code in S3.
        url: where CloudFormation reads it.
        key: of the template in the bucket.
        sha256: of the template.
        code_digests: the SHA-256 of the zip of each function and layer, in hexadecimal, by logical id.
        new_objects: how many objects were not there before.
    """

    template: Mapping[str, Any]
    url: str
    key: str
    sha256: str
    code_digests: Mapping[str, str]
    new_objects: int


@dataclass(frozen=True, slots=True)
class _Content:
    """One object to upload; its bytes are read when they are needed."""

    key: str
    sha256: str
    read: Callable[[], bytes]


def code_bucket(
    settings: StackSettings, *, cloud: Cloud, store: Store, bootstrap_stack: str, create_managed: Callable[[], None]
) -> CodeBucket:
    """Return the bucket for the code of a stack.

    It is `s3_bucket` of samconfig.toml, otherwise that of the bootstrap stack, otherwise the one that SAM manages.

    Args:
        bootstrap_stack: the name of that stack, which may not exist.
        create_managed: creates the stack of SAM's bucket; called when it is needed and missing.

    Raises:
        ConfigurationError: the bucket is missing, forbidden or in another region.
        DeploymentError: AWS did not answer, or SAM's stack has no bucket.
        ToolError: SAM could not create its bucket.
    """
    name = str(settings.section.get("s3_bucket", ""))
    name = name or cloud.describe(bootstrap_stack).outputs.get(BOOTSTRAP_BUCKET, "")
    name = name or _managed_bucket(cloud, create_managed)
    store.require_usable(name)
    return CodeBucket(name, str(settings.section.get("s3_prefix", _PREFIX)).strip("/"))


def upload(template: Path, bucket: CodeBucket, store: Store, *, stamp: Mapping[str, str], package: Package) -> Upload:
    """Upload a built template and the code that it names; what is already there is not uploaded again.

    Args:
        template: the template to deploy; see built.deployed_template.
        stamp: written into the Metadata of the template, such as the release. Tags of the stack would say it too, but
            CloudFormation writes every resource again when they change, and resets values that people have set.
        package: uploads what a template names, whatever built it, and returns the template with its locations in S3;
            called for a template that does not name packed zips only.

    Raises:
        ConfigurationError: the bucket may not be used.
        DeploymentError: S3 refused an object, or did not answer.
        ToolError: `package` failed.
    """
    folder = template.parent
    document = json.loads(template.read_text()) if template.name == outputs.PACKED else None
    if document is not None:
        zips = local_zips(document, folder)
        digests = {logical_id: files.digest(path.read_bytes()) for logical_id, path in zips.items()}
        keys = {logical_id: bucket.key(digest, ".zip") for logical_id, digest in digests.items()}
        located = rewrite(document, keys, bucket=bucket.name)
        if is_self_contained(located, folder):
            contents = [_Content(keys[name], digests[name], path.read_bytes) for name, path in zips.items()]
            return _upload(_stamped(located, stamp), digests, contents, bucket=bucket, store=store)

    packaged = package()
    digests = _digests_of_uploads(packaged, bucket, store)
    return _upload(_stamped(packaged, stamp), digests, [], bucket=bucket, store=store)


def local_zips(template: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Return the zip in `folder` of each function and layer of a template that names one, by logical id."""
    zips: dict[str, Path] = {}
    for logical_id, resource in template["Resources"].items():
        for value in _code_of(resource).values():
            if isinstance(value, str) and value.endswith(".zip") and (folder / value).is_file():
                zips[logical_id] = folder / value
    return zips


def rewrite(template: Mapping[str, Any], keys: Mapping[str, str], *, bucket: str) -> dict[str, Any]:
    """Return the template with the code of functions and layers in S3.

    Args:
        keys: of the zips in the bucket, by logical id.
    """
    rewritten: dict[str, Any] = copy.deepcopy(dict(template))
    for logical_id, key in keys.items():
        resource = rewritten["Resources"][logical_id]
        # SAM's own types take a URI, CloudFormation's take bucket and key.
        is_serverless = resource["Type"].startswith("AWS::Serverless::")
        location = f"s3://{bucket}/{key}" if is_serverless else {"S3Bucket": bucket, "S3Key": key}
        resource["Properties"] |= dict.fromkeys(_code_of(resource), location)
    return rewritten


def is_self_contained(template: Mapping[str, Any], folder: Path) -> bool:
    """Return whether a template names no file or folder on this machine, so that nothing is left to upload.

    Args:
        folder: what its relative paths start from.
    """
    return outputs.relocate(template, from_folder=folder, to_folder=folder.parent) == template


def _stamped(template: Mapping[str, Any], stamp: Mapping[str, str]) -> dict[str, Any]:
    return {**template, "Metadata": {**(template.get("Metadata") or {}), **stamp}}


def _managed_bucket(cloud: Cloud, create: Callable[[], None]) -> str:
    outputs_of_stack = cloud.describe(MANAGED_STACK).outputs
    if _MANAGED_BUCKET not in outputs_of_stack:
        create()
        outputs_of_stack = cloud.describe(MANAGED_STACK).outputs
    if _MANAGED_BUCKET not in outputs_of_stack:
        message = f"has no output {_MANAGED_BUCKET}; name a bucket as s3_bucket in samconfig.toml"
        raise DeploymentError(message, where=MANAGED_STACK)
    return outputs_of_stack[_MANAGED_BUCKET]


def _upload(
    template: Mapping[str, Any],
    digests: Mapping[str, str],
    contents: Iterable[_Content],
    *,
    bucket: CodeBucket,
    store: Store,
) -> Upload:
    body = json.dumps(template, indent=1).encode()
    sha256 = files.digest(body)
    key = bucket.key(sha256, ".json")
    # The template goes up last: a template in the bucket never names code that is missing.
    new_zips = _send_all(contents, bucket.name, store)
    new_templates = _send_all([_Content(key, sha256, lambda: body)], bucket.name, store)
    return Upload(template, store.url(bucket.name, key), key, sha256, dict(digests), new_zips + new_templates)


def _send_all(contents: Iterable[_Content], bucket: str, store: Store) -> int:
    """Upload what is missing, several objects at a time; return how many were missing."""
    distinct = {content.key: content for content in contents}

    def send(content: _Content) -> bool:
        if store.has(bucket, content.key, sha256=content.sha256):
            return False
        store.put(bucket, content.key, content.read(), sha256=content.sha256)
        return True

    with (
        console.steps(f"uploading to {bucket}", len(distinct)) as advance,
        ThreadPoolExecutor(_CONCURRENT_UPLOADS) as pool,
    ):
        futures = {pool.submit(send, content): content.key for content in distinct.values()}
        try:
            for future in as_completed(futures):
                future.result()
                advance(futures[future].rpartition("/")[2])
        finally:
            # After a failure or Ctrl-C only the uploads that have begun are finished.
            pool.shutdown(wait=False, cancel_futures=True)
    return sum(future.result() for future in futures)


def _code_of(resource: Any) -> dict[str, Any]:
    """Return the properties of a resource that name its code."""
    properties = resource.get("Properties") if isinstance(resource, Mapping) else None
    return {name: properties[name] for name in CODE_KEYS if name in properties} if isinstance(properties, dict) else {}


def _digests_of_uploads(template: Mapping[str, Any], bucket: CodeBucket, store: Store) -> dict[str, str]:
    """Return the digests of the zips that SAM has put into the bucket, by logical id."""
    start = f"s3://{bucket.name}/"
    digests: dict[str, str] = {}
    for logical_id, resource in template["Resources"].items():
        for value in _code_of(resource).values():
            match value:
                case str() if value.startswith(start):
                    key = value.removeprefix(start)
                case {"S3Bucket": bucket.name, "S3Key": str() as key}:
                    pass
                case _:
                    continue
            digests[logical_id] = files.digest(store.read(bucket.name, key))
    return digests
