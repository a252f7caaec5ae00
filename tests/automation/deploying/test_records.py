"""A deployment is skipped only if the stack already has it and has not changed since."""

from dataclasses import replace
from pathlib import Path

import pytest

from automation.deploying import records
from automation.system.aws import StackState

STATE = StackState("shop", "UPDATE_COMPLETE", "arn:shop/1", "2026-01-02T03:04:05+00:00")


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips" / "One.zip").write_bytes(b"one")
    template = tmp_path / "packed.json"
    template.write_text("Resources: {}\n")
    return template


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "deployed" / "shop.json"


def test_is_up_to_date_same_deployment_is_true(packed: Path, record: Path) -> None:
    digest = records.deployment_digest(packed, {"Stage": "dev"})
    records.write(record, digest, STATE)

    assert records.is_up_to_date(record, records.deployment_digest(packed, {"Stage": "dev"}), STATE)


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, changed_at="2026-01-02T09:09:09+00:00"),
        replace(STATE, stack_id="arn:shop/2"),
        replace(STATE, status="UPDATE_ROLLBACK_COMPLETE"),
        StackState("shop"),
    ],
    ids=["changed by another", "created again", "rolled back", "deleted"],
)
def test_is_up_to_date_changed_stack_is_false(packed: Path, record: Path, state: StackState) -> None:
    digest = records.deployment_digest(packed, {})
    records.write(record, digest, STATE)

    assert not records.is_up_to_date(record, digest, state)


def test_is_up_to_date_missing_or_broken_record_is_false(packed: Path, record: Path) -> None:
    digest = records.deployment_digest(packed, {})
    before = records.is_up_to_date(record, digest, STATE)
    record.parent.mkdir()
    record.write_text("{")

    assert not before
    assert not records.is_up_to_date(record, digest, STATE)


def test_deployment_digest_covers_zips_template_and_parameters(packed: Path) -> None:
    first = records.deployment_digest(packed, {"Stage": "dev"})
    other_parameters = records.deployment_digest(packed, {"Stage": "prod"})
    (packed.parent / "zips" / "One.zip").write_bytes(b"two")
    other_zip = records.deployment_digest(packed, {"Stage": "dev"})
    packed.write_text("Resources: {A: 1}\n")

    assert len({first, other_parameters, other_zip, records.deployment_digest(packed, {"Stage": "dev"})}) == 4


def test_write_without_digest_removes_record(packed: Path, record: Path) -> None:
    records.write(record, records.deployment_digest(packed, {}), STATE)
    folders = packed.with_name("template.yaml")

    records.write(record, records.deployment_digest(folders, {}), STATE)

    assert records.deployment_digest(folders, {}) == ""
    assert records.read(record) is None
    assert not records.is_up_to_date(record, "", STATE)


def test_mark_smoked_lasts_until_the_next_deployment(packed: Path, record: Path) -> None:
    digest = records.deployment_digest(packed, {})
    records.write(record, digest, STATE)
    before = records.is_smoked(record)
    records.mark_smoked(record)
    after = records.is_smoked(record)
    is_still_up_to_date = records.is_up_to_date(record, digest, STATE)
    records.write(record, digest, STATE)

    assert (before, after, is_still_up_to_date, records.is_smoked(record)) == (False, True, True, False)


def test_mark_smoked_without_record_writes_nothing(record: Path) -> None:
    records.mark_smoked(record)

    assert not record.exists()
    assert not records.is_smoked(record)


def test_is_smoked_record_of_an_earlier_version_is_false(record: Path) -> None:
    record.parent.mkdir()
    record.write_text('{"made_of": "x", "stack_id": "arn", "changed_at": "now"}')

    assert records.read(record) is not None
    assert not records.is_smoked(record)


def test_deployment_digest_ignores_the_order_of_parameters(packed: Path) -> None:
    first = records.deployment_digest(packed, {"Stage": "dev", "Limit": "3"})

    assert records.deployment_digest(packed, {"Limit": "3", "Stage": "dev"}) == first
