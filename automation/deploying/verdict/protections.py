"""Dangers to what protects data: encryption, versions, backups, deletion protection, dead-letter queues, expiry."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.deploying.changes.comparison import is_same
from automation.deploying.changes.model import Rank, ResourceChange
from automation.deploying.verdict.aspects import Aspect, is_update
from automation.deploying.verdict.property_texts import as_list, change_text, is_on, number, text_of, value_of

# Switches that protect data, with their name and whether AWS turns them on when they are missing.
_SWITCHES = {
    "DeletionProtection": ("deletion protection", False),
    "DeletionProtectionEnabled": ("deletion protection", False),
    "EnableKeyRotation": ("key rotation", False),
    "Enabled": ("the key", True),
    "Encrypted": ("encryption", False),
    "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": ("point-in-time recovery", False),
    "SSESpecification.SSEEnabled": ("encryption with a KMS key", False),
    "SqsManagedSseEnabled": ("encryption", True),
    "StorageEncrypted": ("encryption", False),
    "VersioningConfiguration.Status": ("versioning", False),
}
# Properties whose mere presence protects data.
_SAFEGUARDS = {
    "BucketEncryption": "the bucket's own encryption",
    "KmsKeyId": "encryption with a KMS key",
    "KmsMasterKeyId": "encryption with a KMS key",
    "ObjectLockConfiguration": "the object lock",
    "RedrivePolicy": "the dead-letter queue",
    "StreamEncryption": "encryption",
}
# How long data is kept, with the default of AWS; None means forever. A danger for backups and streams only.
_RETENTIONS = {
    "BackupRetentionPeriod": (1.0, True),
    "MessageRetentionPeriod": (345_600.0, False),
    "RetentionInDays": (None, False),
    "RetentionPeriodHours": (24.0, True),
}
_TIME_TO_LIVE = "TimeToLiveSpecification"
_LIFECYCLE = "LifecycleConfiguration"
_KEY_TYPE = "AWS::KMS::Key"


def aspects(change: ResourceChange) -> Iterator[Aspect]:
    """Yield the protections that an update takes away or weakens."""
    if not is_update(change):
        return
    yield from _switched_off(change)
    yield from _removed(change)
    yield from _shortened(change)
    yield from _expiring_items(change)
    yield from _expiring_objects(change)
    yield from _earlier_redelivery(change)


def _danger(what: str, path: str) -> Aspect:
    fix = f"keep {path.split('.', maxsplit=1)[0]} as deployed"
    return Aspect(Rank.DATA_LOSS, what, "unprotect", fix, paths=(f"Properties.{path}",))


def _values(change: ResourceChange, path: str) -> tuple[Any, Any]:
    return value_of(change.before, path), value_of(change.after, path)


def _switched_off(change: ResourceChange) -> Iterator[Aspect]:
    for path, (name, default) in _SWITCHES.items():
        if path == "Enabled" and change.type != _KEY_TYPE:
            continue
        before, after = _values(change, path)
        was_on, stays_on = (default if value is None else is_on(value) for value in (before, after))
        if was_on and not stays_on:
            yield _danger(f"{name} is switched off", path)


def _removed(change: ResourceChange) -> Iterator[Aspect]:
    for path, name in _SAFEGUARDS.items():
        before, after = _values(change, path)
        if before and not after:
            yield _danger(f"{name} is removed", path)
        elif before and not is_same(before, after):
            yield Aspect(
                Rank.OTHER, change_text(path, before, after), needs_attention=True, paths=(f"Properties.{path}",)
            )


def _shortened(change: ResourceChange) -> Iterator[Aspect]:
    for path, (default, is_danger) in _RETENTIONS.items():
        before, after = _values(change, path)
        kept_before, kept_after = (_period(value, default) for value in (before, after))
        if kept_after >= kept_before:
            continue
        what = f"{change_text(path, before, after)}: what is older is deleted"
        if is_danger:
            yield _danger(what, path)
        else:
            yield Aspect(Rank.MONITORING, what, needs_attention=True, paths=(f"Properties.{path}",))


def _period(value: Any, default: float | None) -> float:
    """Return a period as a number; one that is only known at deploy time counts as 0, so that it is reported."""
    if value is None:
        return float("inf") if default is None else default
    return number(value) or 0.0


def _expiring_items(change: ResourceChange) -> Iterator[Aspect]:
    before, after = _values(change, _TIME_TO_LIVE)
    attribute = _expiry_attribute(after)
    if attribute and attribute != _expiry_attribute(before):
        yield _danger(
            f"time to live is switched on: AWS deletes items once the time in {attribute} has passed", _TIME_TO_LIVE
        )


def _expiry_attribute(specification: Any) -> str:
    if not isinstance(specification, Mapping) or not is_on(specification.get("Enabled")):
        return ""
    return text_of(specification.get("AttributeName"))


def _expiring_objects(change: ResourceChange) -> Iterator[Aspect]:
    before, after = (_expirations(value) for value in _values(change, _LIFECYCLE))
    for rule, days in after.items():
        if days < before.get(rule, float("inf")):
            identifier, action = rule
            yield _danger(
                f"the lifecycle rule {identifier} deletes objects earlier ({action}: {days:g} days)", _LIFECYCLE
            )


def _expirations(lifecycle: Any) -> dict[tuple[str, str], float]:
    """Return after how many days the enabled rules of a bucket delete objects, by rule and action."""
    days: dict[tuple[str, str], float] = {}
    rules = as_list(lifecycle.get("Rules")) if isinstance(lifecycle, Mapping) else []
    for rule in rules:
        if not isinstance(rule, Mapping) or not is_on(rule.get("Status")):
            continue
        identifier = text_of(rule.get("Id") or rule.get("Prefix") or "without an Id")
        for action in (key for key in rule if "Expiration" in key and key != "ExpiredObjectDeleteMarker"):
            days[identifier, action] = _days(rule[action])
    return days


def _days(expiration: Any) -> float:
    if isinstance(expiration, Mapping):
        expiration = expiration.get("NoncurrentDays", expiration.get("Days"))
    return number(expiration) or 0.0


def _earlier_redelivery(change: ResourceChange) -> Iterator[Aspect]:
    path = "VisibilityTimeout"
    before, after = (number(value) for value in _values(change, path))
    if before is not None and after is not None and after < before:
        what = f"{change_text(path, *_values(change, path))}: a message may be delivered again while it is handled"
        yield Aspect(Rank.OTHER, what, needs_attention=True, paths=(f"Properties.{path}",))
