"""What protects data and goes: switches, safeguards, retention, and data that starts to expire."""

from typing import Any

import pytest

from automation.deploying.changes.model import Rank
from tests.automation.deploying.planned_changes import BUCKET, QUEUE, TABLE, assess, lines, names, resource, update

DATABASE = "AWS::RDS::DBInstance"
KEY = "AWS::KMS::Key"
LOGS = "AWS::Logs::LogGroup"
STREAM = "AWS::Kinesis::Stream"


def nested(path: str, value: Any) -> dict[str, Any]:
    key, _, rest = path.partition(".")
    return {key: nested(rest, value) if rest else value}


@pytest.mark.parametrize(
    ("kind", "path", "on", "what"),
    [
        (TABLE, "DeletionProtectionEnabled", True, "deletion protection"),
        (TABLE, "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", True, "point-in-time recovery"),
        (TABLE, "SSESpecification.SSEEnabled", "true", "encryption with a KMS key"),
        (DATABASE, "DeletionProtection", True, "deletion protection"),
        (DATABASE, "StorageEncrypted", True, "encryption"),
        (BUCKET, "VersioningConfiguration.Status", "Enabled", "versioning"),
        (KEY, "EnableKeyRotation", True, "key rotation"),
        ("AWS::EFS::FileSystem", "Encrypted", True, "encryption"),
    ],
)
def test_switched_off_protection_is_a_danger(kind: str, path: str, on: Any, what: str) -> None:
    for off in (nested(path, value=False), {}):
        danger = next(item for item in update(kind, nested(path, on), off).dangers if item.kind == "unprotect")
        assert (danger.name, danger.rank) == ("unprotect:X", Rank.DATA_LOSS)
        assert danger.what == f"{what} is switched off"
        assert danger.fix == f"keep {path.split('.', maxsplit=1)[0]} as deployed"
    assert names(update(kind, {}, nested(path, on))) in ([], ["replace:X"])


@pytest.mark.parametrize(("kind", "path"), [(QUEUE, "SqsManagedSseEnabled"), (KEY, "Enabled")])
def test_protection_that_aws_switches_on_is_lost_only_by_false(kind: str, path: str) -> None:
    assert names(update(kind, {path: True}, {path: False})) == ["unprotect:X"]
    assert names(update(kind, {}, {path: "false"})) == ["unprotect:X"]
    assert names(update(kind, {path: True}, {})) == []


def test_enabled_of_an_event_source_is_not_a_key() -> None:
    assert names(update("AWS::Lambda::EventSourceMapping", {"Enabled": True}, {"Enabled": False})) == []


@pytest.mark.parametrize(
    ("kind", "path", "what"),
    [
        (BUCKET, "BucketEncryption", "the bucket's own encryption"),
        (BUCKET, "ObjectLockConfiguration", "the object lock"),
        (LOGS, "KmsKeyId", "encryption with a KMS key"),
        (QUEUE, "KmsMasterKeyId", "encryption with a KMS key"),
        (QUEUE, "RedrivePolicy", "the dead-letter queue"),
        (STREAM, "StreamEncryption", "encryption"),
    ],
)
def test_removed_safeguard_is_a_danger_and_a_changed_one_needs_attention(kind: str, path: str, what: str) -> None:
    assert [danger.what for danger in update(kind, {path: "a"}, {}).dangers] == [f"{what} is removed"]
    assert lines(update(kind, {path: "a"}, {})) == [(f"{what} is removed", True)]
    assert lines(update(kind, {path: "a"}, {path: "b"})) == [(f"{path}: a -> b", True)]
    assert lines(update(kind, {}, {path: "b"})) == [(f"{path}: (none) -> b", False)]


@pytest.mark.parametrize(
    ("kind", "path", "longer", "shorter"),
    [
        (LOGS, "RetentionInDays", 90, 1),
        (LOGS, "RetentionInDays", None, 3653),
        (LOGS, "RetentionInDays", 90, {"Ref": "Days"}),
        (QUEUE, "MessageRetentionPeriod", 1209600, 345600),
        (QUEUE, "MessageRetentionPeriod", None, 345599),
        (QUEUE, "MessageRetentionPeriod", "345601", None),
    ],
)
def test_shorter_retention_needs_attention(kind: str, path: str, longer: Any, shorter: Any) -> None:
    before, after = ({} if value is None else {path: value} for value in (longer, shorter))

    assessment = update(kind, before, after)

    [(what, needs_attention)] = lines(assessment)
    assert (needs_attention, what.endswith(": what is older is deleted")) == (True, True)
    assert (names(assessment), assessment.changes[0].rank) == ([], Rank.MONITORING)
    assert lines(update(kind, after, before))[0][1] is False


@pytest.mark.parametrize(
    ("kind", "path", "longer", "shorter"),
    [(DATABASE, "BackupRetentionPeriod", 7, 0), (STREAM, "RetentionPeriodHours", 25, None)],
)
def test_shorter_backups_are_a_danger(kind: str, path: str, longer: int, shorter: int | None) -> None:
    after = {} if shorter is None else {path: shorter}

    assert "unprotect:X" in names(update(kind, {path: longer}, after))
    assert "unprotect:X" in names(update(kind, {}, {path: 0}))
    assert "unprotect:X" not in names(update(kind, {}, {path: 24 if kind == STREAM else 1}))
    assert "unprotect:X" not in names(update(kind, after, {path: longer}))


def test_same_retention_written_as_text_is_no_change() -> None:
    assert update(LOGS, {"RetentionInDays": 90}, {"RetentionInDays": "90"}).changes == ()


@pytest.mark.parametrize(
    "before", [{}, {"Enabled": False, "AttributeName": "at"}, {"Enabled": True, "AttributeName": "x"}]
)
def test_time_to_live_on_an_existing_table_is_a_danger(before: dict[str, Any]) -> None:
    after = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "at"}}

    [danger] = update(TABLE, {"TimeToLiveSpecification": before} if before else {}, after).dangers

    assert danger.what == "time to live is switched on: AWS deletes items once the time in at has passed"


def test_time_to_live_switched_off_or_on_a_new_table_is_not_a_danger() -> None:
    on = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "at"}}

    assert names(update(TABLE, on, {})) == []
    assert names(assess({}, {"X": resource(TABLE, on)})) == []


def rules(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", **entry} for entry in entries]}}


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({}, rules({"ExpirationInDays": 30}), "old deletes objects earlier (ExpirationInDays: 30 days)"),
        (
            rules({"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
            rules({"NoncurrentVersionExpiration": {"NoncurrentDays": 89}}),
            "old deletes objects earlier (NoncurrentVersionExpiration: 89 days)",
        ),
        (
            rules({"ExpirationInDays": 30, "Status": "Disabled"}),
            rules({"ExpirationInDays": 30}),
            "old deletes objects earlier (ExpirationInDays: 30 days)",
        ),
        ({}, rules({"ExpirationDate": "2027-01-01"}), "old deletes objects earlier (ExpirationDate: 0 days)"),
        (
            {},
            rules({"Id": None, "ExpirationInDays": 1}),
            "without an Id deletes objects earlier (ExpirationInDays: 1 days)",
        ),
        (
            {},
            rules({"Id": None, "Prefix": "bars/", "ExpirationInDays": 1}),
            "bars/ deletes objects earlier (ExpirationInDays: 1 days)",
        ),
    ],
)
def test_earlier_expiry_of_objects_is_a_danger(before: dict[str, Any], after: dict[str, Any], what: str) -> None:
    [danger] = update(BUCKET, before, after).dangers

    assert danger.what == f"the lifecycle rule {what}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rules({"ExpirationInDays": 30}), rules({"ExpirationInDays": 31})),
        (rules({"ExpirationInDays": 30}), {}),
        (rules({"ExpirationInDays": 30}), rules({"ExpirationInDays": 30, "Prefix": "a"})),
        ({}, rules({"Status": "Disabled", "ExpirationInDays": 1})),
        ({}, rules({"ExpiredObjectDeleteMarker": True})),
        ({}, rules({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}})),
    ],
)
def test_later_expiry_of_objects_is_not_a_danger(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert names(update(BUCKET, before, after)) == []


def test_shorter_visibility_needs_attention() -> None:
    shorter = update(QUEUE, {"VisibilityTimeout": 100}, {"VisibilityTimeout": 99})
    longer = update(QUEUE, {"VisibilityTimeout": 99}, {"VisibilityTimeout": 100})

    assert lines(shorter) == [
        ("VisibilityTimeout: 100 -> 99: a message may be delivered again while it is handled", True)
    ]
    assert lines(longer) == [("VisibilityTimeout: 99 -> 100", False)]
    unchanged = update(QUEUE, {"VisibilityTimeout": 99}, {"VisibilityTimeout": 99, "DelaySeconds": 1})
    assert lines(unchanged) == [("DelaySeconds: (none) -> 1", False)]
