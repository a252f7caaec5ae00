"""S3Objects translates the answers of S3: missing objects, lost races and failures."""

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import ANY, Stubber

from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.objects import ObjectChangedError, S3Objects


@pytest.fixture
def stubbed() -> tuple[S3Objects, Stubber]:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return S3Objects(client, "lake"), Stubber(client)


def test_get_no_such_key_returns_none(stubbed: tuple[S3Objects, Stubber]) -> None:
    store, stub = stubbed
    stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    with stub:
        assert store.get("k") is None


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown"])
def test_get_refused_raises_with_key_and_cause(stubbed: tuple[S3Objects, Stubber], code: str) -> None:
    store, stub = stubbed
    stub.add_client_error("get_object", code)
    with stub, pytest.raises(StateUnavailableError, match=rf"s3://lake/k: .*{code}.*GetObject"):
        store.get("k")


@pytest.mark.parametrize(("replaces", "condition"), [(None, {"IfNoneMatch": "*"}), ('"etag"', {"IfMatch": '"etag"'})])
def test_put_sends_its_condition(
    stubbed: tuple[S3Objects, Stubber], replaces: str | None, condition: dict[str, str]
) -> None:
    store, stub = stubbed
    expected = {"Bucket": "lake", "Key": "k", "Body": b"x", "ContentType": "text/plain", "Metadata": ANY, **condition}
    stub.add_response("put_object", {}, expected)
    with stub:
        store.put("k", b"x", content_type="text/plain", replaces=replaces)

    stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_put_lost_race_raises_object_changed(stubbed: tuple[S3Objects, Stubber], code: str) -> None:
    store, stub = stubbed
    stub.add_client_error("put_object", code)
    with stub, pytest.raises(ObjectChangedError):
        store.put("k", b"x", content_type="text/plain", replaces=None)


def test_overwrite_refused_raises_unavailable(stubbed: tuple[S3Objects, Stubber]) -> None:
    store, stub = stubbed
    stub.add_client_error("put_object", "AccessDenied")
    with stub, pytest.raises(StateUnavailableError, match="PutObject"):
        store.overwrite("k", b"x", content_type="text/plain")


class SilentClient:
    """A client whose every call times out."""

    def get_object(self, **_: object) -> None:
        raise ReadTimeoutError(endpoint_url="http://lake")

    put_object = get_object


@pytest.mark.parametrize("call", ["get", "overwrite"])
def test_store_that_times_out_raises_unavailable(call: str) -> None:
    store = S3Objects(SilentClient(), "lake")  # type: ignore[arg-type]  # only what is called is there
    with pytest.raises(StateUnavailableError):
        store.get("k") if call == "get" else store.overwrite("k", b"x", content_type="text/plain")


def test_get_failed_keeps_the_client_error_as_cause(stubbed: tuple[S3Objects, Stubber]) -> None:
    store, stub = stubbed
    stub.add_client_error("get_object", "InternalError")
    with stub, pytest.raises(StateUnavailableError) as caught:
        store.get("k")

    assert isinstance(caught.value.__cause__, ClientError)
