"""Names of types, and which properties an aspect covers."""

import pytest

from automation.deploying.changes.model import Action, Rank, ResourceChange
from automation.deploying.verdict import aspects
from automation.deploying.verdict.aspects import Aspect


@pytest.mark.parametrize(
    ("resource_type", "noun"),
    [
        ("AWS::DynamoDB::Table", "table"),
        ("AWS::Logs::LogGroup", "log group"),
        ("AWS::RDS::DBInstance", "db instance"),
        ("AWS::Lambda::Url", "url"),
        ("Custom::Thing", "thing"),
    ],
)
def test_noun_of_a_type_is_its_everyday_name(resource_type: str, noun: str) -> None:
    assert aspects.noun(resource_type) == noun


@pytest.mark.parametrize(
    ("covered", "path", "expected"),
    [
        ("Properties.A", "Properties.A", True),
        ("Properties.A", "Properties.A.B", True),
        ("Properties.A.B", "Properties.A", True),
        ("Properties.A", "Properties.AB", False),
        ("", "Properties.A", True),
    ],
)
def test_covers_the_same_path_and_those_around_it(covered: str, path: str, *, expected: bool) -> None:
    assert Aspect(Rank.OTHER, "x", paths=(covered,)).covers(path) is expected
    assert Aspect(Rank.OTHER, "x").covers(path) is False


def test_is_update_needs_both_sides() -> None:
    change = ResourceChange("s", "X", "T", Action.MODIFY, before={}, after={})

    assert aspects.is_update(change)
    assert not aspects.is_update(ResourceChange("s", "X", "T", Action.MODIFY, before={}))
    assert not aspects.is_update(ResourceChange("s", "X", "T", Action.MODIFY, after={}))
    assert not aspects.is_update(ResourceChange("s", "X", "T", Action.IMPORT, before={}, after={}))
