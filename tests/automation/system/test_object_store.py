"""Each call to S3: its parameters, and the errors of a bucket with what to change. Answers are composed."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from automation.system import aws
from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.object_store import ObjectStore
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-s3")
STORE = ObjectStore(TARGET)
SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
CHECKSUM = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
KEYS = "AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=stubbed-s3"
CREATE = f"{KEYS} aws s3 mb s3://code --region eu-west-1 --endpoint-url http://127.0.0.1:1"
ANOTHER = "name another one as s3_bucket in samconfig.toml, or remove s3_bucket to use the bucket that SAM manages"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("s3", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (TARGET, "http://127.0.0.1:1/code/a/b.json"),
        (Target("eu-west-1", "", "k", "s"), "https://s3.eu-west-1.amazonaws.com/code/a/b.json"),
        (Target("cn-north-1", "", "k", "s"), "https://s3.cn-north-1.amazonaws.com.cn/code/a/b.json"),
    ],
)
def test_url_is_that_of_partition_or_endpoint(monkeypatch: pytest.MonkeyPatch, target: Target, url: str) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    assert ObjectStore(target).url("code", "a/b.json") == url


@pytest.mark.parametrize("answer", [{"BucketRegion": "eu-west-1"}, {}])
def test_require_usable_bucket_of_this_region_passes(stub: Stubber, answer: dict[str, Any]) -> None:
    stub.add_response("head_bucket", answer, {"Bucket": "code"})

    STORE.require_usable("code")


def test_require_usable_bucket_of_another_region_is_refused(stub: Stubber) -> None:
    stub.add_response("head_bucket", {"BucketRegion": "us-east-1"})

    with pytest.raises(ConfigurationError) as caught:
        STORE.require_usable("code")

    what = "code: the bucket is in us-east-1, but code is deployed from a bucket in eu-west-1 only"
    assert str(caught.value) == f"{what}; {ANOTHER}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("404", f"the bucket does not exist; create it: {CREATE}"),
        ("NoSuchBucket", f"the bucket does not exist; create it: {CREATE}"),
        (
            "403",
            f"the credentials may not use the bucket (s3:ListBucket), which may belong to another account; {ANOTHER}",
        ),
        ("AccessDenied", "the credentials may not use the bucket (s3:ListBucket)"),
        ("301", f"the bucket is in another region than eu-west-1; {ANOTHER}"),
        ("PermanentRedirect", "the bucket is in another region than eu-west-1"),
        ("AuthorizationHeaderMalformed", "the bucket is in another region than eu-west-1"),
    ],
)
def test_require_usable_says_what_to_change(stub: Stubber, code: str, message: str) -> None:
    stub.add_client_error("head_bucket", code)

    with pytest.raises(ConfigurationError) as caught:
        STORE.require_usable("code")

    assert str(caught.value).startswith(f"code: {message}")


def test_require_usable_other_errors_keep_their_text(stub: Stubber) -> None:
    stub.add_client_error("head_bucket", "ExpiredToken", "the token has expired")

    with pytest.raises(DeploymentError, match="the token has expired"):
        STORE.require_usable("code")


@pytest.mark.parametrize(
    ("answer", "expected"), [({"ChecksumSHA256": CHECKSUM}, True), ({"ChecksumSHA256": "other"}, False), ({}, False)]
)
def test_has_compares_the_checksum(stub: Stubber, answer: dict[str, Any], expected: bool) -> None:
    request = {"Bucket": "code", "Key": "a.zip", "ChecksumMode": "ENABLED"}
    stub.add_response("head_object", answer, request)

    assert STORE.has("code", "a.zip", sha256=SHA256) is expected


@pytest.mark.parametrize("code", ["404", "NoSuchKey"])
def test_has_missing_object_is_false(stub: Stubber, code: str) -> None:
    stub.add_client_error("head_object", code)

    assert not STORE.has("code", "a.zip", sha256=SHA256)


def test_has_forbidden_bucket_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("head_object", "403")

    with pytest.raises(ConfigurationError, match=r"may not use the bucket \(s3:GetObject\), which may"):
        STORE.has("code", "a.zip", sha256=SHA256)


@pytest.mark.parametrize(("operation", "action"), [("put", "s3:PutObject"), ("read", "s3:GetObject")])
def test_refused_call_names_the_action(stub: Stubber, operation: str, action: str) -> None:
    stub.add_client_error("put_object" if operation == "put" else "get_object", "AccessDenied")

    with pytest.raises(ConfigurationError, match=action):
        STORE.put("code", "a.zip", b"hello", sha256=SHA256) if operation == "put" else STORE.read("code", "a.zip")


def test_put_lets_s3_check_the_content(stub: Stubber) -> None:
    request = {"Bucket": "code", "Key": "a.zip", "Body": b"hello", "ChecksumSHA256": CHECKSUM}
    stub.add_response("put_object", {}, request)

    STORE.put("code", "a.zip", b"hello", sha256=SHA256)


def test_put_damaged_content_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("put_object", "BadDigest", "The SHA256 you specified did not match")

    with pytest.raises(DeploymentError, match=r"code: AWS refused the request: .*did not match"):
        STORE.put("code", "a.zip", b"hello", sha256=SHA256)


def test_read_returns_the_content(stub: Stubber) -> None:
    body = StreamingBody(io.BytesIO(b"hello"), 5)
    stub.add_response("get_object", {"Body": body}, {"Bucket": "code", "Key": "a.zip"})

    assert STORE.read("code", "a.zip") == b"hello"


def test_read_missing_object_names_it(stub: Stubber) -> None:
    stub.add_client_error("get_object", "NoSuchKey")

    with pytest.raises(ConfigurationError, match=r"s3://code/a\.zip: the object does not exist"):
        STORE.read("code", "a.zip")
