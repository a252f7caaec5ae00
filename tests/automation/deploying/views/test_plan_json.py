"""A plan as JSON: stable keys."""

import json

from automation.deploying.views import plan_json
from tests.automation.deploying.plan_examples import TABLE, VIEW


def test_as_json_has_every_part_of_the_plan() -> None:
    content = plan_json.as_json(VIEW)

    assert {key: content[key] for key in ("format", "environment", "target", "from_release", "to_commit")} == {
        "format": 1,
        "environment": "prod",
        "target": "AWS account 1, us-east-1",
        "from_release": "r7",
        "to_commit": "34fef64",
    }
    assert content["verdict"] == "forbidden"
    assert content["stacks"][1] == {
        "name": "trading",
        "stack_name": "shop",
        "status": "",
        "is_new": False,
        "provisional": "imports BusName",
    }
    assert content["changes"][0] == {
        "rank": 1,
        "kind": "data loss",
        "stack": "trading",
        "resource": "Ledger",
        "type": TABLE,
        "action": "modify",
        "what": "is replaced",
        "needs_attention": True,
    }
    assert len(content["changes"]) == 4
    assert [danger["name"] for danger in content["allowed"]] == ["widen:Role"]
    assert content["notes"] == list(VIEW.all_notes)


def test_as_json_danger_says_how_to_allow_it() -> None:
    replaced, refused = plan_json.as_json(VIEW)["dangers"]

    assert replaced == {
        "name": "replace:Ledger",
        "kind": "replace",
        "stack": "trading",
        "resource": "Ledger",
        "rank": 1,
        "what": "is replaced",
        "fix": "keep KeySchema",
        "allow": "--allow replace:Ledger",
    }
    assert refused["allow"] == ""


def test_as_json_is_plain() -> None:
    assert json.loads(json.dumps(plan_json.as_json(VIEW))) == plan_json.as_json(VIEW)
