"""Objects of a bucket, whole and conditional: the port, and its adapter on S3."""

import hashlib
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

SHA256 = "sha256"
_ABSENT = {"NoSuchKey", "404"}
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class ObjectChangedError(AlchemiserError):
    """A conditional write found another object than the one it was to replace; nothing was written."""

    retryable: ClassVar[bool] = True


class StoredObject(NamedTuple):
    """An object as it was read.

    Attributes:
        version: names exactly this content for a conditional write (S3's ETag).
        sha256: what its writer put beside the bytes in the same write; None when another tool wrote it.
    """

    body: bytes
    version: str
    sha256: str | None


class ObjectStore(Protocol):
    """Where objects lie. Every write is whole: a reader sees the old bytes or the new."""

    def get(self, key: str) -> StoredObject | None:
        """The object; None when there is none.

        Raises:
            StateUnavailableError: the store did not answer, or refused.
        """
        ...

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None:
        """Write, if the object is still the version given; None: if there is none.

        Raises:
            ObjectChangedError: it is not.
            StateUnavailableError: it is not known whether the write happened.
        """
        ...

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write, whatever is there.

        Raises:
            StateUnavailableError: it is not known whether the write happened.
        """
        ...

    def url(self, key: str) -> str:
        """Where the object is, for people and other programs."""
        ...


class S3Objects:
    """ObjectStore on one bucket; grants: s3:GetObject, s3:PutObject, and s3:ListBucket, without which an absent
    object reads as a refusal."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, key: str) -> StoredObject | None:
        """The object; None when there is none."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            body = answer["Body"].read()
        except aws.ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise StateUnavailableError(f"{self.url(key)}: {error}") from error
        except aws.BotoCoreError as error:
            raise StateUnavailableError(f"{self.url(key)}: {error}") from error
        return StoredObject(body, answer["ETag"], answer["Metadata"].get(SHA256))

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None:
        """Write, if the object is still the version given; None: if there is none."""
        request = self._request(key, body, content_type)
        if replaces is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = replaces
        self._put(request)

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write, whatever is there."""
        self._put(self._request(key, body, content_type))

    def url(self, key: str) -> str:
        """`s3://<bucket>/<key>`."""
        return f"s3://{self._bucket}/{key}"

    def _request(self, key: str, body: bytes, content_type: str) -> "PutObjectRequestTypeDef":
        return {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": content_type,
            "Metadata": {SHA256: digest_of(body)},
        }

    def _put(self, request: "PutObjectRequestTypeDef") -> None:
        where = self.url(request["Key"])
        try:
            self._client.put_object(**request)
        except aws.ClientError as error:
            if _code(error) in _CHANGED:
                raise ObjectChangedError(f"{where}: another writer was faster") from error
            raise StateUnavailableError(f"{where}: {error}") from error
        except aws.BotoCoreError as error:
            raise StateUnavailableError(f"{where}: {error}") from error


def digest_of(body: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(body).hexdigest()


def _code(error: "aws.ClientError") -> str:
    return str(error.response["Error"]["Code"])
