"""Each call to S3 about all versions of objects. Answers are composed; Stubber validates them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.leftovers import StoredObject
from automation.system.stored_objects import PER_CALL, StoredObjects
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-objects")
OBJECTS = StoredObjects(TARGET)
OWNER, NOW = "123456789012", datetime(2026, 1, 2, tzinfo=UTC)
LATEST = StoredObject("code", "a/b.zip", "v2", 12, NOW)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("s3", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def version(entry: StoredObject) -> dict[str, Any]:
    return {
        "Key": entry.key,
        "VersionId": entry.version_id,
        "Size": entry.size_bytes,
        "LastModified": entry.modified_at,
        "IsLatest": entry.is_latest,
    }


def request(count: int, first: int = 0) -> dict[str, Any]:
    names = [{"Key": f"a/{number}", "VersionId": "v2"} for number in range(first, first + count)]
    return {"Bucket": "code", "ExpectedBucketOwner": OWNER, "Delete": {"Objects": names, "Quiet": True}}


def test_versions_come_from_every_page_without_markers(stub: Stubber) -> None:
    older = replace(LATEST, version_id="v1", is_latest=False)
    asked = {"Bucket": "code", "Prefix": "a/", "ExpectedBucketOwner": OWNER}
    marker = {"Key": "a/c.zip", "VersionId": "v3", "IsLatest": True, "LastModified": NOW}
    first = {
        "Versions": [version(LATEST)],
        "IsTruncated": True,
        "NextKeyMarker": "k",
        "NextVersionIdMarker": "v",
    }
    stub.add_response("list_object_versions", first, asked)
    following = {"Versions": [version(older)], "DeleteMarkers": [marker], "IsTruncated": True, "NextKeyMarker": "l"}
    stub.add_response("list_object_versions", following, {**asked, "KeyMarker": "k", "VersionIdMarker": "v"})
    stub.add_response("list_object_versions", {"DeleteMarkers": [marker]}, {**asked, "KeyMarker": "l"})

    assert OBJECTS.versions("code", "a", owner=OWNER) == (LATEST, older)


def test_versions_of_a_foreign_bucket_are_refused(stub: Stubber) -> None:
    stub.add_client_error("list_object_versions", "AccessDenied", "not yours")

    with pytest.raises(DeploymentError, match=r"^code: AWS refused the request: .*not yours"):
        OBJECTS.versions("code", "a", owner=OWNER)


def test_delete_names_each_version_in_batches(stub: Stubber) -> None:
    stub.add_response("delete_objects", {}, request(PER_CALL))
    stub.add_response("delete_objects", {}, request(1, PER_CALL))

    OBJECTS.delete([replace(LATEST, key=f"a/{number}") for number in range(PER_CALL + 1)], owner=OWNER)


def test_delete_of_nothing_calls_nobody(stub: Stubber) -> None:
    OBJECTS.delete((), owner=OWNER)


def test_delete_that_s3_refuses_in_part_is_an_error(stub: Stubber) -> None:
    errors = [{"Key": "a/0", "Code": "AccessDenied", "Message": "Access Denied"}, {"Key": "a/1", "Message": "later"}]
    stub.add_response("delete_objects", {"Errors": errors}, request(2))

    with pytest.raises(DeploymentError) as caught:
        OBJECTS.delete([replace(LATEST, key=f"a/{number}") for number in range(2)], owner=OWNER)

    assert str(caught.value) == "code: S3 did not delete 2 object(s): a/0: Access Denied"


def test_delete_refused_request_names_the_bucket(stub: Stubber) -> None:
    stub.add_client_error("delete_objects", "AccessDenied", "not yours")

    with pytest.raises(DeploymentError, match=r"^code: AWS refused the request"):
        OBJECTS.delete((LATEST,), owner=OWNER)
