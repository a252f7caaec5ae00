"""Call S3, or an endpoint that replaces it. An object is written whole or not at all, and S3 checks its SHA-256."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from automation.system import aws, aws_commands
from automation.system.digests import base64_of
from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NO_OBJECT = frozenset({"404", "NoSuchKey"})
_NO_BUCKET = frozenset({"404", "NoSuchBucket"})
_FORBIDDEN = frozenset({"403", "AccessDenied"})
_ELSEWHERE = frozenset({"301", "PermanentRedirect", "AuthorizationHeaderMalformed"})
# S3 answers a HEAD request without a text that would name the action.
_ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
}
_ANOTHER = "name another one as s3_bucket in samconfig.toml, or remove s3_bucket to use the bucket that SAM manages"


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The calls to S3."""

    target: Target

    @property
    def _client(self) -> "S3Client":
        client: S3Client = aws.client("s3", self.target)
        return client

    def url(self, bucket: str, key: str) -> str:
        """Return the URL of an object as CloudFormation reads it, in any partition and at any endpoint."""
        return f"{self._client.meta.endpoint_url}/{bucket}/{key}"

    def require_usable(self, bucket: str) -> None:
        """Check that a bucket exists, may be used and is in our region: Lambda reads code from its own region only.

        Raises:
            ConfigurationError: the bucket cannot be used; the message says what to change.
            DeploymentError: S3 did not answer.
        """
        with self._translate_errors(bucket):
            region = self._client.head_bucket(Bucket=bucket).get("BucketRegion", self.target.region)
        if region != self.target.region:
            message = f"the bucket is in {region}, but code is deployed from a bucket in {self.target.region} only"
            raise ConfigurationError(f"{message}; {_ANOTHER}", where=bucket)

    def has(self, bucket: str, key: str, *, sha256: str) -> bool:
        """Return whether an object with this content exists.

        Args:
            sha256: of the content, in hexadecimal; an object that was written without one does not count.

        Raises:
            ConfigurationError: the bucket may not be read.
            DeploymentError: S3 did not answer.
        """
        with self._translate_errors(bucket):
            try:
                answer = self._client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            except ClientError as cause:
                if _code(cause) in _NO_OBJECT:
                    return False
                raise
        return answer.get("ChecksumSHA256") == base64_of(sha256)

    def put(self, bucket: str, key: str, content: bytes, *, sha256: str) -> None:
        """Write an object; S3 refuses it unless its content has this SHA-256.

        Raises:
            ConfigurationError: the bucket may not be written, or does not exist.
            DeploymentError: S3 refused the content, or did not answer.
        """
        with self._translate_errors(bucket):
            self._client.put_object(Bucket=bucket, Key=key, Body=content, ChecksumSHA256=base64_of(sha256))

    def read(self, bucket: str, key: str) -> bytes:
        """Return the content of an object.

        Raises:
            ConfigurationError: the bucket may not be read, or does not have the object.
            DeploymentError: S3 did not answer.
        """
        with self._translate_errors(bucket):
            try:
                return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey as cause:
                raise ConfigurationError("the object does not exist", where=f"s3://{bucket}/{key}") from cause

    @contextmanager
    def _translate_errors(self, bucket: str) -> Iterator[None]:
        try:
            with aws.translate_errors(bucket, self.target):
                yield
        except DeploymentError as cause:
            code = _code(cause.__cause__)
            if code in _NO_BUCKET:
                command = aws_commands.line(self.target, "s3", "mb", f"s3://{bucket}")
                message = f"the bucket does not exist; create it: {command}"
            elif code in _FORBIDDEN:
                what = (
                    f"the credentials may not use the bucket ({_action(cause.__cause__)}), which may belong to another"
                )
                message = f"{what} account; {_ANOTHER}"
            elif code in _ELSEWHERE:
                message = f"the bucket is in another region than {self.target.region}; {_ANOTHER}"
            else:
                raise
            raise ConfigurationError(message, where=bucket) from cause


def _code(cause: BaseException | None) -> str:
    return str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else ""


def _action(cause: BaseException | None) -> str:
    """Return the action that a refused call needs."""
    name = cause.operation_name if isinstance(cause, ClientError) else ""
    return _ACTIONS.get(name, name)
