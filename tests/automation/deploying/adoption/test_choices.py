"""What a new stack adopts by itself, and what a person must decide: one planted doubt per finding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from automation.deploying.adoption import choices
from automation.deploying.adoption.choices import Commands, Namesake, NewStack
from automation.deploying.adoption.model import Adoption, RetainedResource
from automation.system.errors import Finding, UsageError
from automation.system.holdings import LOG_GROUP, PARAMETER, QUEUE, TABLE
from automation.system.targets import Target
from tests.automation.deploying.adoption.retained_examples import (
    DEAD,
    EMPTY,
    INBOX,
    LOGS,
    OLD_SALES,
    SALES,
    SWITCH,
    definition,
    retained,
    table_definition,
)

COMMANDS = Commands("live", "inv deploy --env live", Target("eu-west-1"))
WANTED = {"Sales": table_definition()}
DATABASE = retained("Db", "db-1", definition("AWS::RDS::DBInstance"), holding=None)


def choose(
    wanted: Mapping[str, Any],
    left: Sequence[RetainedResource] = (),
    *,
    namesakes: Mapping[str, Namesake] | None = None,
    **decisions: str,
) -> tuple[Adoption, tuple[Finding, ...]]:
    new_stack = NewStack("app", wanted, left, namesakes or {}, {}, decisions)
    return choices.choose(new_stack, commands=COMMANDS)


def adopted(*arguments: Any, **keywords: Any) -> list[str]:
    """Return the physical ids of what is adopted; there must be no finding."""
    adoption, findings = choose(*arguments, **keywords)
    assert findings == ()
    return [resource.physical_id for resource in adoption.resources]


def only_finding(*arguments: Any, **keywords: Any) -> Finding:
    """Return the only finding; nothing is adopted."""
    adoption, findings = choose(*arguments, **keywords)
    assert adoption.resources == ()
    [finding] = findings
    return finding


def test_choose_only_candidate_is_adopted() -> None:
    adoption, findings = choose(WANTED, [SALES])

    assert (adoption, findings) == (Adoption((SALES,)), ())


def test_choose_nothing_left_creates_everything() -> None:
    assert choose(WANTED) == (Adoption(), ())


def test_choose_keeps_the_order_of_the_template() -> None:
    wanted = {"Inbox": INBOX.definition, "Sales": table_definition(), "Dead": DEAD.definition}

    assert adopted(wanted, [DEAD, SALES, INBOX]) == [INBOX.physical_id, SALES.physical_id, DEAD.physical_id]


def test_choose_other_logical_id_or_type_is_left() -> None:
    queue = retained("Sales", "https://sqs/1/sales", definition(QUEUE))

    adoption, findings = choose(WANTED, [replace(SALES, logical_id="Results"), queue])

    assert (adoption.resources, findings) == ((), ())
    assert [resource.physical_id for resource in adoption.left] == [SALES.physical_id, queue.physical_id]


def test_choose_two_candidates_ask_which() -> None:
    options = "shop-live-Sales-1, 3 items: inv deploy --env live --adopt Sales=shop-live-Sales-1; "
    options += "shop-live-Sales-0, 0 items: inv deploy --env live --adopt Sales=shop-live-Sales-0; "
    options += "a new one: inv deploy --env live --adopt Sales=new"

    assert only_finding(WANTED, [SALES, OLD_SALES]) == Finding(
        "Sales", "2 earlier ones are left over; choose which to adopt", options
    )


@pytest.mark.parametrize("resource", [SALES, OLD_SALES])
def test_choose_decision_picks_one_of_two(resource: RetainedResource) -> None:
    assert adopted(WANTED, [SALES, OLD_SALES], Sales=resource.physical_id) == [resource.physical_id]


def test_choose_new_adopts_nothing_and_says_what_is_left() -> None:
    adoption, findings = choose(WANTED, [SALES, OLD_SALES], Sales="new")

    assert (adoption.resources, findings) == ((), ())
    assert adoption.decisions == {"Sales": "new"}
    assert adoption.left == (SALES, OLD_SALES)


def test_choose_decision_may_name_what_had_another_logical_id() -> None:
    adoption, findings = choose({"Results": table_definition()}, [SALES], Results=SALES.physical_id)

    assert (adoption.resources, findings) == ((replace(SALES, logical_id="Results"),), ())


def test_commands_adopt_replaces_an_earlier_decision_about_the_resource() -> None:
    commands = Commands("live", "inv deploy --env live --adopt Sales=a --yes --adopt Sales2=b", Target("eu-west-1"))

    assert commands.adopt("Sales", "it's") == (
        "inv deploy --env live --yes --adopt Sales2=b --adopt 'Sales=it'\"'\"'s'"
    )


def test_choose_decision_for_a_resource_of_another_type_is_refused() -> None:
    assert only_finding(WANTED, [SALES, DEAD], Sales=DEAD.physical_id) == Finding(
        "Sales",
        f"{DEAD.physical_id} does not exist, or has another type than AWS::DynamoDB::Table",
        f"{SALES.text}: inv deploy --env live --adopt Sales={SALES.physical_id}; "
        "a new one: inv deploy --env live --adopt Sales=new",
    )


def test_choose_other_keys_are_not_adopted() -> None:
    finding = only_finding({"Sales": table_definition("day")}, [SALES])

    assert finding.where == "Sales"
    assert finding.what.startswith("shop-live-Sales-1, 3 items would be replaced right after its adoption: ")
    assert "KeySchema" in finding.what
    assert finding.fix == (
        "restore the old value in the template; or leave it: inv deploy --env live --adopt Sales=new"
    )


def test_choose_keys_that_the_table_really_has_count() -> None:
    """Somebody may have created the table again with other keys, behind the back of CloudFormation."""
    changed = replace(SALES, holding=replace(EMPTY, keys=("day HASH S",)))

    assert only_finding(WANTED, [changed]).what == (
        "shop-live-Sales-1, 0 items would be replaced right after its adoption: KeySchema differs"
    )


def test_choose_new_name_is_not_adopted() -> None:
    named = {"Inbox": definition(QUEUE, {"QueueName": "another"})}

    assert "QueueName differs" in only_finding(named, [INBOX]).what


def test_choose_name_that_is_new_in_the_template_is_not_adopted() -> None:
    named = {"Dead": definition(QUEUE, {"QueueName": "shop-dead"})}

    assert "QueueName differs" in only_finding(named, [DEAD]).what


def test_choose_harmless_change_is_adopted() -> None:
    """The update after the import makes it."""
    longer = {"Dead": definition(QUEUE, {"MessageRetentionPeriod": 99})}

    assert adopted(longer, [DEAD]) == [DEAD.physical_id]


def test_choose_property_that_the_import_leaves_out_is_no_difference() -> None:
    fifo = {"Fn::If": ["IsFifo", True, False]}
    left = retained("Dead", DEAD.physical_id, definition(QUEUE, {"FifoQueue": fifo}))

    assert adopted({"Dead": definition(QUEUE, {"FifoQueue": fifo})}, [left]) == [DEAD.physical_id]


def test_choose_name_of_a_new_resource_means_another_one() -> None:
    """A log group that is named after a function of the old stack is not that of the new function."""
    wanted = {"Logs": definition(LOG_GROUP, {"LogGroupName": {"Fn::Sub": "/aws/lambda/${Till}"}})}

    adoption, findings = choose(wanted, [LOGS])

    assert (adoption.resources, findings, adoption.left) == ((), (), (LOGS,))


def test_choose_data_of_a_type_without_import_ask() -> None:
    assert only_finding({"Db": DATABASE.definition}, [DATABASE]) == Finding(
        "Db",
        "db-1 is left over, and inv deploy cannot adopt its type, AWS::RDS::DBInstance",
        "create a new one and leave it: inv deploy --env live --adopt Db=new",
    )
    assert adopted({"Db": DATABASE.definition}, [DATABASE], Db="new") == []


def test_choose_other_leftovers_without_import_are_not_worth_a_question() -> None:
    layer = retained("Code", "arn:layer:1", definition("AWS::Lambda::LayerVersion"), holding=None)

    assert adopted({"Code": layer.definition}, [layer]) == []


def test_choose_stranger_of_the_same_name_asks() -> None:
    stranger = Namesake(SWITCH)

    assert only_finding({"Switch": SWITCH.definition}, namesakes={"Switch": stranger}) == Finding(
        "Switch",
        "one of this name exists already, and no stack has or had it: /shop/on",
        "if it is the right one, adopt it: inv deploy --env live --adopt Switch=/shop/on; otherwise delete it",
    )
    assert adopted({"Switch": SWITCH.definition}, namesakes={"Switch": stranger}, Switch="/shop/on") == ["/shop/on"]


@pytest.mark.parametrize("decisions", [{}, {"Switch": "/shop/on"}])
def test_choose_name_that_another_stack_has_cannot_be_adopted(decisions: Mapping[str, str]) -> None:
    owned = Namesake(SWITCH, "shop-other")

    assert only_finding({"Switch": SWITCH.definition}, namesakes={"Switch": owned}, **decisions) == Finding(
        "Switch",
        "/shop/on belongs to the stack shop-other",
        "look: aws cloudformation describe-stack-resources --stack-name shop-other --region eu-west-1; "
        "remove it from that stack, or give Switch another name",
    )


@pytest.mark.parametrize("is_left", [True, False])
def test_choose_new_with_a_taken_name_is_refused(is_left: bool) -> None:
    left, namesakes = ([SWITCH], {}) if is_left else ([], {"Switch": Namesake(SWITCH)})

    delete = ": inv destroy --env live --data-only --delete-data Switch" if is_left else ""
    assert only_finding({"Switch": SWITCH.definition}, left, namesakes=namesakes, Switch="new") == Finding(
        "Switch",
        "a new one cannot be created: its name is taken by /shop/on",
        f"adopt it: inv deploy --env live --adopt Switch=/shop/on; or delete it first{delete}",
    )


def test_choose_finding_calls_a_resource_as_a_person_must() -> None:
    new_stack = NewStack("app", WANTED, [SALES, OLD_SALES], labels={"Sales": "app/Sales"})

    _, [finding] = choices.choose(new_stack, commands=COMMANDS)

    assert finding.where == "app/Sales"
    assert "--adopt app/Sales=new" in finding.fix


def test_choose_quotes_what_a_shell_would_take_apart() -> None:
    odd = replace(SALES, physical_id="a b")

    assert "--adopt 'Sales=a b'" in only_finding(WANTED, [odd, OLD_SALES]).fix


def test_parse_reads_each_decision() -> None:
    assert choices.parse(["Sales=new", "Inbox=https://sqs/1/a=b"]) == {"Sales": "new", "Inbox": "https://sqs/1/a=b"}


@pytest.mark.parametrize("word", ["Sales", "=new", "Sales="])
def test_parse_incomplete_decision_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        choices.parse(["Inbox=new", word])

    what = f"'{word}' is not NAME=PHYSICAL-ID or NAME=new; write it as --adopt Ledger=new"
    assert str(caught.value) == f"--adopt: {what}"


def test_labels_name_the_stack_where_two_have_the_same_id() -> None:
    assert choices.labels({"base": ["Sales", "Claims"], "app": ["Claims", "Till"]}) == {
        "base": {"Sales": "Sales", "Claims": "base/Claims"},
        "app": {"Claims": "app/Claims", "Till": "Till"},
    }


def test_fixed_names_are_texts_of_types_that_can_be_adopted() -> None:
    wanted = {
        "Switch": SWITCH.definition,
        "Inbox": INBOX.definition,
        "Dead": DEAD.definition,
        "Logs": definition(LOG_GROUP, {"LogGroupName": {"Ref": "Till"}}),
        "Role": definition("AWS::IAM::Role", {"RoleName": "shop"}),
        "Bare": {"Type": TABLE},
    }

    assert choices.fixed_names(wanted) == {"Switch": (PARAMETER, "/shop/on"), "Inbox": (QUEUE, "shop-inbox.fifo")}
