from automation.project import templates
from automation.reach import resources

BEFORE = """
Parameters: {Size: {Type: Number, Default: 1}}
Conditions: {Big: !Equals [!Ref AWS::Region, there]}
Mappings: {Sizes: {there: {a: 1}}}
Globals: {Function: {Timeout: 3, Environment: {Variables: {A: a}}}}
Resources:
  Till:
    Type: AWS::Serverless::Function
    Metadata: {Alchemiser: {BudgetMB: 1}}
    Properties: {CodeUri: till/, Handler: a.b, MemorySize: !Ref Size}
  Queue:
    Type: AWS::SQS::Queue
    Condition: Big
    Properties: {DelaySeconds: !FindInMap [Sizes, !Ref AWS::Region, a]}
"""


def changed(old: str, new: str, *, here: str = "1") -> dict[str, str]:
    parameters = ({"": {}, "here": {"app": {"Size": "1"}}}, {"": {}, "here": {"app": {"Size": here}}})
    before, now = (templates.parse(text, name="app.yaml") for text in (BEFORE, BEFORE.replace(old, new)))
    return resources.changed(before, now, parameters=parameters, stack="app", files=(), built={"Till"})


def test_changed_nothing_is_empty() -> None:
    assert changed("", "") == {}


def test_changed_property_tells_both_values() -> None:
    assert changed("Handler: a.b", "Handler: a.c") == {"Till": "Handler: a.b -> a.c"}


def test_changed_place_of_built_code_is_none() -> None:
    assert changed("till/", "tills/") == {}


def test_changed_metadata_is_none() -> None:
    assert changed("BudgetMB: 1", "BudgetMB: 2") == {}


def test_changed_default_counts_where_it_is_read() -> None:
    assert changed("Default: 1}", "Default: 2}") == {"Till": "MemorySize: 1 -> 2"}


def test_changed_parameter_of_an_environment_names_it() -> None:
    assert changed("", "", here="2") == {"Till": "MemorySize: 1 -> 2 (in here)"}


def test_changed_globals_count_for_each_function() -> None:
    assert changed("A: a}", "A: b}") == {"Till": "Environment.Variables.A: a -> b"}


def test_changed_globals_that_a_function_overrides_are_none() -> None:
    own = BEFORE.replace("Handler: a.b", "Handler: a.b, Timeout: 9")
    before, now = (templates.parse(text, name="app.yaml") for text in (own, own.replace("Timeout: 3", "Timeout: 4")))

    found = resources.changed(before, now, parameters=({"": {}}, {"": {}}), stack="app", files=(), built=())

    assert found == {}


def test_changed_condition_that_only_aws_can_tell_counts_for_who_names_it() -> None:
    assert changed("there]", "elsewhere]") == {"Queue": "names Big, which changed"}


def test_changed_mapping_that_only_aws_can_look_up_counts_for_who_names_it() -> None:
    assert changed("{a: 1}", "{a: 2}") == {"Queue": "names Sizes, which changed"}


def test_changed_resource_added_and_removed_are_told() -> None:
    assert changed("  Queue:", "  Line:") == {"Queue": "was removed", "Line": "is new"}


def test_changed_stack_that_is_gone_removes_all_of_it() -> None:
    before = templates.parse(BEFORE, name="app.yaml")

    found = resources.changed(before, None, parameters=({"": {}}, {"": {}}), stack="app", files=(), built=())

    assert found == dict.fromkeys(("Till", "Queue"), "its stack was removed")


def test_changed_file_that_a_resource_names_is_told() -> None:
    text = (
        "Resources:\n  Flow:\n    Type: AWS::Serverless::StateMachine\n    Properties: {DefinitionUri: ./flow.json}\n"
    )
    same = templates.parse(text, name="stacks/app.yaml")

    found = resources.changed(
        same, same, parameters=({"": {}}, {"": {}}), stack="app", files={"stacks/flow.json"}, built=()
    )

    assert found == {"Flow": "stacks/flow.json changed"}
