"""Storage of whole objects with conditional writes: the port, and its adapter for S3."""

from typing import TYPE_CHECKING, ClassVar, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.records import Frozen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

SHA256 = "sha256"
_MISSING = {"NoSuchKey", "404"}
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class ObjectChangedError(AlchemiserError):
    """Another writer changed the object since it was read; nothing was written."""

    retryable: ClassVar[bool] = True


class StoredObject(Frozen):
    """An object as it was read.

    Attributes:
        version: identifies exactly this content in a conditional write (S3's ETag).
        sha256: the digest that the writer stored in the same write, hex; None when another tool wrote the object.
    """

    body: bytes
    version: str
    sha256: str | None


class ObjectStore(Protocol):
    """A store of objects. Every write is atomic: a reader gets all the old bytes or all the new ones."""

    def get(self, key: str) -> StoredObject | None:
        """Return the object, or None when there is none.

        Raises:
            StateUnavailableError: the store did not answer, or denied access.
        """
        ...

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None:
        """Write the object, unless another writer changed it.

        Args:
            replaces: the version to replace; None to create an object that does not exist yet.

        Raises:
            ObjectChangedError: the stored object is not that version; nothing was written.
            StateUnavailableError: it is not known whether the write happened.
        """
        ...

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write the object unconditionally.

        Raises:
            StateUnavailableError: it is not known whether the write happened.
        """
        ...

    def url(self, key: str) -> str:
        """Return the object's address, for people and other programs."""
        ...


class S3Objects:
    """ObjectStore on one S3 bucket.

    Grants: s3:GetObject, s3:PutObject and s3:ListBucket. Without s3:ListBucket, S3 answers a read of a missing object
    with "access denied".
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, key: str) -> StoredObject | None:
        """Return the object, or None when there is none."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            body = answer["Body"].read()
        except aws.ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise StateUnavailableError(f"{self.url(key)}: {error}") from error
        except aws.BotoCoreError as error:
            raise StateUnavailableError(f"{self.url(key)}: {error}") from error
        return StoredObject(body, answer["ETag"], answer["Metadata"].get(SHA256))

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None:
        """Write the object, unless another writer changed it."""
        request = self._request(key, body, content_type)
        # S3 compares the condition and writes in one step: of two writers that read the same version, one fails.
        if replaces is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = replaces
        self._put(request)

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write the object unconditionally."""
        self._put(self._request(key, body, content_type))

    def url(self, key: str) -> str:
        """Return `s3://<bucket>/<key>`."""
        return f"s3://{self._bucket}/{key}"

    def check(self, prefix: str) -> None:
        """Read an object below a prefix that does not exist.

        Raises:
            StateUnavailableError: S3 denied access, has no such bucket, or did not answer.
        """
        self.get(f"{prefix}/health-check")

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
                raise ObjectChangedError(f"{where}: another writer changed it first") from error
            raise StateUnavailableError(f"{where}: {error}") from error
        except aws.BotoCoreError as error:
            raise StateUnavailableError(f"{where}: {error}") from error


def digest_of(body: bytes) -> str:
    """Return the SHA-256 in hex."""
    import hashlib  # noqa: PLC0415 - the SDK loads it anyway, after the import of the handler

    return hashlib.sha256(body).hexdigest()


def _code(error: "aws.ClientError") -> str:
    return str(error.response["Error"]["Code"])
