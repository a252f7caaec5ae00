"""What the verdict on a plan takes from the planned stacks besides the changes of their resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from automation.deploying import assessing
from automation.deploying.changes.model import Action, Assessment, Expanded, Rank, RankedChange, Verdict
from automation.deploying.planning import PlannedStack
from automation.deploying.verdict.aspects import ParameterChange
from automation.project.model import Project
from automation.project.settings import Watched
from tests.automation.deploying.planned_changes import FUNCTION, QUEUE, TABLE, names, resource
from tests.automation.deploying.planned_stacks import candidate_of, planned, session_of

LAYER = "AWS::Lambda::LayerVersion"
OUTPUT = "an output of the stack"
SELLING = Watched("selling", parameter="Selling", forbid=("on",))


@dataclass
class FakeTables:
    """DynamoDB; `asked` are the tables whose indexes were read."""

    indexes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def global_indexes(self, table: str) -> frozenset[str]:
        self.asked.append(table)
        return self.indexes.get(table, frozenset())


def expanded(resources: Mapping[str, Any] | None = None, **sections: Any) -> Expanded:
    """Return a template; `values` are those of its parameters."""
    values = sections.pop("values", {})
    return Expanded({"Resources": resources or {}, **sections}, {"AWS::Region": "eu-west-1", **values})


@pytest.fixture
def assess(shop: Project) -> Any:
    """Assess the update of stack app."""

    def run(before: Expanded | None, after: Expanded, tables: FakeTables | None = None, **options: Any) -> Assessment:
        described = options.pop("described", None)
        parameters = options.pop("parameters", {})
        stack = planned(candidate_of(session_of(shop), **parameters), before, after, described=described)
        return assess_all([stack], tables, **options)

    return run


def assess_all(stacks: Sequence[PlannedStack], tables: FakeTables | None = None, **options: Any) -> Assessment:
    settings: dict[str, Any] = {"watched": (), "allow": (), "enforce": True, **options}
    return assessing.assess(stacks, tables=tables or FakeTables(), **settings)


def parameter_changes(before: Expanded | None, after: Expanded) -> list[ParameterChange]:
    return list(assessing.parameter_changes("app", before, after))


def with_parameter(definition: Mapping[str, Any] | None, **values: str) -> Expanded:
    parameters = {"Selling": definition} if definition is not None else {}
    return expanded(Parameters=parameters, values=values)


def test_assess_same_template_is_nothing_to_do(assess: Any) -> None:
    same = expanded({"Queue": resource(QUEUE)})

    assert assess(same, same) == Assessment()


def test_assess_changes_of_every_stack(shop: Project) -> None:
    session, before, after = session_of(shop), expanded({}), expanded({"Queue": resource(QUEUE)})
    stacks = [planned(candidate_of(session, stack), before, after) for stack in ("base", "app")]

    assert [(line.stack, line.resource) for line in assess_all(stacks).changes] == [("base", "Queue"), ("app", "Queue")]


def test_assess_lines_of_no_stack_come_too(assess: Any) -> None:
    line = RankedChange(Rank.DATA_LOSS, "", "Order", "a contract", Action.MODIFY, "breaks", needs_attention=True)

    assert assess(expanded(), expanded(), lines=(line,)).changes == (line,)


def test_assess_danger_is_forbidden_allowed_or_not_enforced(assess: Any) -> None:
    before, after = expanded({"Sales": resource(TABLE)}), expanded({})

    assert names(assess(before, after)) == ["delete:Sales"]
    assert assess(before, after, allow=["delete:Sales"]).verdict is Verdict.CONSENT
    assert assess(before, after, enforce=False).dangers == ()
    assert assess(before, after, allow=["delete:Other"]).unused == ("delete:Other",)


def test_assess_watched_parameter_is_a_danger(assess: Any) -> None:
    before, after = with_parameter({}, Selling="off"), with_parameter({}, Selling="on")

    assert names(assess(before, after, watched=[SELLING])) == ["watched:Selling"]
    assert names(assess(before, after)) == []


def test_parameter_changes_have_both_values() -> None:
    before, after = with_parameter({}, Selling="off"), with_parameter({}, Selling="on")

    assert parameter_changes(before, after) == [ParameterChange("app", "Selling", "off", "on")]
    assert parameter_changes(before, before) == []


def test_parameter_changes_of_defaults_count() -> None:
    before, after = with_parameter({"Default": "off"}), with_parameter({"Default": "on"})

    assert parameter_changes(before, after) == [ParameterChange("app", "Selling", "off", "on")]
    assert parameter_changes(before, with_parameter({"Default": "on"}, Selling="off")) == []


def test_parameter_changes_new_and_removed_parameters_have_one_value() -> None:
    absent, present = with_parameter(None), with_parameter({}, Selling="on")

    assert parameter_changes(absent, present) == [ParameterChange("app", "Selling", None, "on")]
    assert parameter_changes(present, absent) == [ParameterChange("app", "Selling", "on", None)]


def test_parameter_changes_are_sorted_and_leave_pseudo_parameters_out() -> None:
    before, after = expanded(values={"AWS::StackName": "a"}), expanded(values={"AWS::StackName": "b", "Extra": "1"})
    named = expanded(Parameters={"B": {}, "A": {}}, values={"B": "1", "A": "2"})

    assert parameter_changes(before, after) == []
    assert [change.name for change in parameter_changes(before, named)] == ["A", "B"]


def test_parameter_changes_of_hidden_parameters_are_not_known() -> None:
    hidden = with_parameter({"NoEcho": True}, Selling="****")

    assert parameter_changes(hidden, with_parameter({"NoEcho": True}, Selling="secret")) == []
    assert parameter_changes(with_parameter({}, Selling="off"), hidden) == []


def test_parameter_changes_of_a_new_stack_are_none() -> None:
    assert parameter_changes(None, with_parameter({}, Selling="on")) == []


def outputs(**values: str) -> Expanded:
    return expanded(Outputs={name: {"Value": value} for name, value in values.items()})


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (outputs(), outputs(Url="a"), ("Url", Action.ADD, "Value: (none) -> a", False)),
        (outputs(Url="a"), outputs(Url="b"), ("Url", Action.MODIFY, "Value: a -> b", False)),
        (outputs(Url="a"), outputs(), ("Url", Action.REMOVE, "Value: a -> (none)", True)),
    ],
)
def test_output_lines_name_each_output(before: Expanded, after: Expanded, line: tuple[str, Action, str, bool]) -> None:
    name, action, what, needs_attention = line

    assert list(assessing.output_lines("app", before, after)) == [
        RankedChange(Rank.OTHER, "app", name, OUTPUT, action, what, needs_attention=needs_attention)
    ]


def test_output_lines_name_exports_that_come_and_go() -> None:
    """The export has another name, and its output the same value: no other line says so."""
    before, after = (
        Expanded({"Outputs": {"Url": {"Value": "a", "Export": {"Name": name}}}}) for name in ("old", "new")
    )

    assert list(assessing.output_lines("app", before, after)) == [
        RankedChange(Rank.OTHER, "app", "new", "an export of the stack", Action.ADD, "Value: (none) -> a"),
        RankedChange(Rank.OTHER, "app", "old", "an export of the stack", Action.REMOVE, "Value: a -> (none)", True),
    ]


def test_output_lines_value_of_an_export_has_one_line() -> None:
    before, after = (
        Expanded({"Outputs": {"Url": {"Value": value, "Export": {"Name": "url"}}}}) for value in ("a", "b")
    )

    assert [line.type for line in assessing.output_lines("app", before, after)] == ["an output of the stack"]


def test_output_lines_same_outputs_and_new_stacks_have_none() -> None:
    assert list(assessing.output_lines("app", outputs(Url="a"), outputs(Url="a"))) == []
    assert list(assessing.output_lines("app", None, outputs(Url="a"))) == []


def test_output_lines_are_sorted(assess: Any) -> None:
    lines = assess(outputs(C="1"), outputs(B="1", A="1", C="2")).changes

    assert [line.resource for line in lines] == ["A", "B", "C"]


def function(key: str, memory: int = 128, layers: Sequence[Any] = ()) -> dict[str, Any]:
    properties = {"Code": {"S3Bucket": "shop", "S3Key": key}, "MemorySize": memory, "Layers": list(layers)}
    return resource(FUNCTION, properties)


def test_assess_changed_code_has_its_reason(assess: Any) -> None:
    before, after = expanded({"Till": function("a.zip")}), expanded({"Till": function("b.zip")})

    assessment = assess(before, after, reasons=lambda: {"Till": "shop/till/handler.py"})

    assert [line.what for line in assessment.changes] == ["code: shop/till/handler.py"]
    assert [line.what for line in assess(before, after).changes] == ["code: changed"]


def test_assess_reasons_are_not_asked_without_a_change_of_code(assess: Any) -> None:
    """To find them takes a check-out of the deployed commit."""
    asked: list[str] = []

    def reasons() -> Mapping[str, str]:
        asked.append("reasons")
        return {}

    assess(expanded({"Till": function("a.zip")}), expanded({"Till": function("a.zip", 256)}), reasons=reasons)
    assert asked == []
    assess(expanded({"Till": function("a.zip")}), expanded({"Till": function("b.zip")}), reasons=reasons)
    assert asked == ["reasons"]


def layered(digest: str, *, is_used: bool) -> Expanded:
    name = f"Code{digest * 10}"
    layer = resource(LAYER, {"Content": {"S3Bucket": "shop", "S3Key": f"{digest}.zip"}})
    return expanded({name: layer, "Till": function("a.zip", layers=[{"Ref": name}] if is_used else [])})


def test_assess_new_layer_says_how_many_functions_use_it(assess: Any) -> None:
    used = assess(layered("a", is_used=True), layered("b", is_used=True)).changes
    unused = assess(layered("a", is_used=False), layered("b", is_used=False)).changes

    assert [line.what for line in used if line.rank is Rank.LAYERS] == ["Code: a new version; 1 function uses it"]
    assert [line.what for line in unused if line.rank is Rank.LAYERS] == ["Code: a new version"]


def test_assess_layer_users_of_every_stack(shop: Project) -> None:
    session = session_of(shop)
    sides = layered("a", is_used=True), layered("b", is_used=True)
    stacks = [planned(candidate_of(session, stack), *sides) for stack in ("base", "app")]

    lines = [line for line in assess_all(stacks).changes if line.rank is Rank.LAYERS]

    assert [(line.stack, line.what) for line in lines] == [
        ("base", "Code: a new version; 1 function uses it"),
        ("app", "Code: a new version; 1 function uses it"),
    ]


def table(*indexes: str, mode: str = "PAY_PER_REQUEST") -> dict[str, Any]:
    entries = [{"IndexName": name, "KeySchema": []} for name in indexes]
    return resource(TABLE, {"GlobalSecondaryIndexes": entries, "BillingMode": mode})


def described(logical_id: str = "Sales", physical_id: str = "shop-sales") -> dict[str, Any]:
    change = {"LogicalResourceId": logical_id, **({"PhysicalResourceId": physical_id} if physical_id else {})}
    return {"Changes": [{"Type": "Resource", "ResourceChange": change}]}


def test_assess_index_changes_are_compared_with_the_deployed_table(assess: Any) -> None:
    """The template before has no index, but the table has one: two changes at once, which AWS refuses."""
    tables = FakeTables({"shop-sales": frozenset({"by-day"})})
    before, after = expanded({"Sales": table()}), expanded({"Sales": table("by-hour")})

    assert names(assess(before, after, tables, described=described())) == ["gsi:Sales"]
    assert tables.asked == ["shop-sales"]


@pytest.mark.parametrize(
    ("before", "after", "change_set"),
    [
        ({"Sales": table("by-day")}, {"Sales": table("by-day", mode="PROVISIONED")}, described()),
        ({"Sales": table()}, {"Sales": table("by-hour")}, described(physical_id="")),
        ({"Sales": table()}, {"Sales": table("by-hour")}, described("Other", "shop-other")),
        ({"Sales": table()}, {"Sales": table("by-hour")}, {}),
        ({}, {"Sales": table("by-hour")}, described()),
        ({"Sales": resource(QUEUE)}, {"Sales": resource(QUEUE, {"GlobalSecondaryIndexes": 1})}, described()),
    ],
    ids=["no index", "no physical id", "another resource", "no changes", "new table", "no table"],
)
def test_assess_asks_for_no_indexes_where_none_change(assess: Any, before: Any, after: Any, change_set: Any) -> None:
    tables = FakeTables()

    assess(expanded(before), expanded(after), tables, described=change_set)

    assert tables.asked == []


def test_assess_provisional_stack_has_no_physical_ids(shop: Project) -> None:
    tables = FakeTables()
    sides = expanded({"Sales": table()}), expanded({"Sales": table("by-hour")})

    assess_all([planned(candidate_of(session_of(shop)), *sides, awaited=("bus",))], tables)

    assert tables.asked == []


def test_assess_hides_the_values_of_hidden_parameters(assess: Any) -> None:
    definitions = {"Pin": {"NoEcho": True}, "Open": {}}
    before = expanded({"Queue": resource(QUEUE, {"Pin": "x"})}, Parameters=definitions)
    after = expanded({"Queue": resource(QUEUE, {"Pin": "hunter22", "Tag": "open"})}, Parameters=definitions)

    assessment = assess(before, after, parameters={"Pin": "hunter22", "Open": "open", "Extra": "none"})

    texts = [line.what for line in assessment.changes]
    assert texts == ["Pin: x -> (hidden)", "Tag: (none) -> open"]


def test_assess_empty_hidden_parameter_hides_nothing(assess: Any) -> None:
    definitions = {"Pin": {"NoEcho": True}}
    before = expanded({"Queue": resource(QUEUE, {"Pin": "x"})}, Parameters=definitions)
    after = expanded({"Queue": resource(QUEUE, {"Pin": "y"})}, Parameters=definitions)

    assert [line.what for line in assess(before, after, parameters={"Pin": ""}).changes] == ["Pin: x -> y"]
