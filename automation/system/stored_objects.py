"""List and delete objects of a bucket with all their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched, chain
from typing import TYPE_CHECKING

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.leftovers import StoredObject
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PER_CALL = 1000  # the most that DeleteObjects accepts


@dataclass(frozen=True, slots=True)
class StoredObjects:
    """The calls to S3 about all objects of a folder."""

    target: Target

    @property
    def _client(self) -> "S3Client":
        client: S3Client = aws.client("s3", self.target)
        return client

    def versions(self, bucket: str, folder: str, *, owner: str) -> tuple[StoredObject, ...]:
        """Return every version of the objects in a folder and below it, without markers of deleted ones.

        Args:
            folder: without a slash at its end.
            owner: the account that the bucket must belong to.

        Raises:
            DeploymentError: S3 refused the request, such as for a bucket of another account, or did not answer.
        """
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix=f"{folder}/", ExpectedBucketOwner=owner
        )
        with aws.translate_errors(bucket, self.target):
            versions = list(chain.from_iterable(page.get("Versions", ()) for page in pages))
        return tuple(
            StoredObject(
                bucket=bucket,
                key=version["Key"],
                version_id=version["VersionId"],
                size_bytes=version["Size"],
                modified_at=version["LastModified"],
                is_latest=version["IsLatest"],
            )
            for version in versions
        )

    def delete(self, objects: Sequence[StoredObject], *, owner: str) -> None:
        """Delete versions of objects of one bucket for ever; missing ones are skipped.

        Raises:
            DeploymentError: S3 did not delete one of them, or did not answer.
        """
        for batch in batched(objects, PER_CALL):
            bucket = batch[0].bucket
            # Destructive: a version that is named by its id cannot be restored.
            names = [{"Key": entry.key, "VersionId": entry.version_id} for entry in batch]
            with aws.translate_errors(bucket, self.target):
                answer = self._client.delete_objects(
                    Bucket=bucket,
                    ExpectedBucketOwner=owner,
                    Delete={"Objects": names, "Quiet": True},  # type: ignore[typeddict-item] # plain dicts
                )
            if errors := answer.get("Errors"):
                first = errors[0]
                message = f"S3 did not delete {len(errors)} object(s): {first.get('Key')}: {first.get('Message')}"
                raise DeploymentError(message, where=bucket)
