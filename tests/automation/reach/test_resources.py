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


def changes(old: str, new: str, *, here: str = "1") -> dict[str, str]:
    parameters = ({"": {}, "here": {"app": {"Size": "1"}}}, {"": {}, "here": {"app": {"Size": here}}})
    before, now = (templates.parse(text, name="app.yaml") for text in (BEFORE, BEFORE.replace(old, new)))
    return resources.changed_resources(before, now, parameters=parameters, stack="app", files=(), built={"Till"})


def test_changed_nothing_is_empty() -> None:
    assert changes("", "") == {}


def test_changed_property_shows_both_values() -> None:
    assert changes("Handler: a.b", "Handler: a.c") == {"Till": "Handler: a.b -> a.c"}


def test_changed_code_path_of_a_built_function_is_ignored() -> None:
    assert changes("till/", "tills/") == {}


def test_changed_metadata_is_ignored() -> None:
    assert changes("BudgetMB: 1", "BudgetMB: 2") == {}


def test_changed_default_counts_for_each_resource_using_it() -> None:
    assert changes("Default: 1}", "Default: 2}") == {"Till": "MemorySize: 1 -> 2"}


def test_changed_parameter_names_its_environment() -> None:
    assert changes("", "", here="2") == {"Till": "MemorySize: 1 -> 2 (in here)"}


def test_changed_globals_count_for_each_function() -> None:
    assert changes("A: a}", "A: b}") == {"Till": "Environment.Variables.A: a -> b"}


def test_changed_globals_that_a_function_overrides_are_ignored() -> None:
    own = BEFORE.replace("Handler: a.b", "Handler: a.b, Timeout: 9")
    before, now = (templates.parse(text, name="app.yaml") for text in (own, own.replace("Timeout: 3", "Timeout: 4")))

    reasons = resources.changed_resources(before, now, parameters=({"": {}}, {"": {}}), stack="app", files=(), built=())

    assert reasons == {}


def test_changed_unresolved_condition_counts_for_resources_naming_it() -> None:
    assert changes("there]", "elsewhere]") == {"Queue": "names Big, which changed"}


def test_changed_unresolved_mapping_counts_for_resources_naming_it() -> None:
    assert changes("{a: 1}", "{a: 2}") == {"Queue": "names Sizes, which changed"}


def test_changed_resource_added_and_removed_are_reported() -> None:
    assert changes("  Queue:", "  Line:") == {"Queue": "was removed", "Line": "is new"}


def test_changed_removed_stack_removes_its_resources() -> None:
    before = templates.parse(BEFORE, name="app.yaml")

    reasons = resources.changed_resources(
        before, None, parameters=({"": {}}, {"": {}}), stack="app", files=(), built=()
    )

    assert reasons == dict.fromkeys(("Till", "Queue"), "its stack was removed")


def test_changed_file_that_a_resource_names_is_reported() -> None:
    text = (
        "Resources:\n  Flow:\n    Type: AWS::Serverless::StateMachine\n    Properties: {DefinitionUri: ./flow.json}\n"
    )
    same = templates.parse(text, name="stacks/app.yaml")

    reasons = resources.changed_resources(
        same, same, parameters=({"": {}}, {"": {}}), stack="app", files={"stacks/flow.json"}, built=()
    )

    assert reasons == {"Flow": "stacks/flow.json changed"}
