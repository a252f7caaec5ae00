"""A deployment is skipped only when the same thing went to a stack that stands as it was left."""

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


def test_is_current_after_the_same_was_deployed(packed: Path, record: Path) -> None:
    made = records.made_of(packed, {"Stage": "dev"})
    records.write(record, made, STATE)

    assert records.is_current(record, records.made_of(packed, {"Stage": "dev"}), STATE)


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, changed_at="2026-01-02T09:09:09+00:00"),
        replace(STATE, stack_id="arn:shop/2"),
        replace(STATE, status="UPDATE_ROLLBACK_COMPLETE"),
        StackState("shop"),
    ],
    ids=["changed by another", "made again", "rolled back", "deleted"],
)
def test_is_current_of_a_stack_that_is_not_as_it_was_left_is_false(
    packed: Path, record: Path, state: StackState
) -> None:
    made = records.made_of(packed, {})
    records.write(record, made, STATE)

    assert not records.is_current(record, made, state)


def test_is_current_without_or_with_a_broken_record_is_false(packed: Path, record: Path) -> None:
    made = records.made_of(packed, {})
    before = records.is_current(record, made, STATE)
    record.parent.mkdir()
    record.write_text("{")

    assert not before
    assert not records.is_current(record, made, STATE)


def test_made_of_tells_zips_template_and_parameters_apart(packed: Path) -> None:
    first = records.made_of(packed, {"Stage": "dev"})
    other_parameters = records.made_of(packed, {"Stage": "prod"})
    (packed.parent / "zips" / "One.zip").write_bytes(b"two")
    other_zip = records.made_of(packed, {"Stage": "dev"})
    packed.write_text("Resources: {A: 1}\n")

    assert len({first, other_parameters, other_zip, records.made_of(packed, {"Stage": "dev"})}) == 4


def test_made_of_a_template_that_names_folders_is_not_known_and_forgets_the_record(packed: Path, record: Path) -> None:
    records.write(record, records.made_of(packed, {}), STATE)
    folders = packed.with_name("template.yaml")

    records.write(record, records.made_of(folders, {}), STATE)

    assert records.made_of(folders, {}) == ""
    assert records.read(record) is None
    assert not records.is_current(record, "", STATE)
