"""Which resources the new stacks of a session adopt, by what a person has decided."""

from dataclasses import replace

import pytest

from automation.deploying import adopting
from automation.deploying.adoption import model
from automation.deploying.adoption.model import Adoption
from automation.deploying.candidates import Candidate
from automation.deploying.releases.records import Release
from automation.deploying.sessions import Session
from automation.project.model import Project
from automation.system.errors import CheckFailedError, UsageError
from automation.system.holdings import PARAMETER, QUEUE, TABLE, Holding
from automation.system.stacks import StackState
from tests.automation.deploying.adoption.retained_examples import (
    OLD_SALES,
    SALES,
    SWITCH,
    definition,
    retained,
    table_definition,
)
from tests.automation.deploying.planned_stacks import candidate_of, session_of
from tests.automation.fake_aws import FakeAws
from tests.automation.fake_stacks import FakeStack

TEMPLATE = {"Resources": {"Sales": table_definition(), "Switch": SWITCH.definition}}
BASE_SALES = replace(SALES, stack_name="shop-live-base", physical_id="base-sales")


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def session(shop: Project, aws: FakeAws) -> Session:
    return with_states(session_of(shop, aws), **{"shop-live-base": "", "shop-live": ""})


def with_states(session: Session, **statuses: str) -> Session:
    return replace(session, states=tuple(StackState(name, status) for name, status in statuses.items()))


def leave(aws: FakeAws, *resources: model.RetainedResource) -> None:
    """Write down that a stack has left resources, which exist."""
    for resource in resources:
        known = aws.table.retained(resource.stack_name)
        aws.table.write_retained(resource.stack_name, [*known, model.as_document(resource)])
        if resource.holding:
            aws.data.strangers[resource.type, resource.physical_id] = resource.holding


def app(session: Session, template: dict[str, object] | None = None) -> Candidate:
    return candidate_of(session, template=template or TEMPLATE)


def test_find_adopts_what_the_stack_has_left(session: Session, aws: FakeAws) -> None:
    leave(aws, SALES, BASE_SALES)
    base = candidate_of(session, "base", template={"Resources": {}})

    adoptions = adopting.find(session, [base, app(session)], {})

    assert adoptions == {
        "shop-live-base": Adoption(left=(BASE_SALES,)),
        "shop-live": Adoption((SALES,)),
    }


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_find_for_every_stack_that_will_be_created(session: Session, aws: FakeAws, status: str) -> None:
    leave(aws, SALES)

    assert list(adopting.find(with_states(session, **{"shop-live": status}), [app(session)], {})) == ["shop-live"]


def test_find_for_an_existing_stack_asks_nothing(session: Session, aws: FakeAws) -> None:
    leave(aws, SALES)
    asked: list[str] = []
    aws.stacks.on_call = lambda name, _argument: asked.append(name)

    existing = with_states(session, **{"shop-live": "UPDATE_COMPLETE"})

    assert (adopting.find(existing, [app(session)], {}), asked) == ({}, [])


def test_find_reports_every_doubt_at_once(session: Session, aws: FakeAws) -> None:
    leave(aws, SALES, OLD_SALES)
    aws.data.strangers[PARAMETER, "/shop/on"] = Holding("a value", is_empty=False)

    with pytest.raises(CheckFailedError) as caught:
        adopting.find(session, [app(session)], {})

    assert str(caught.value) == "live: 2 resource(s) need a decision; nothing was changed"
    assert [finding.where for finding in caught.value.findings] == ["Sales", "Switch"]


def test_find_command_has_the_decisions_so_far(session: Session, aws: FakeAws) -> None:
    aws.data.strangers[PARAMETER, "/shop/on"] = Holding("a value", is_empty=False)

    with pytest.raises(CheckFailedError) as caught:
        adopting.find(session, [app(session)], {"Sales": "new"})

    command = "inv deploy --env live --adopt Sales=new --adopt Switch=/shop/on"
    assert caught.value.findings[0].fix == f"if it is the right one, adopt it: {command}; otherwise delete it"


def test_find_owner_of_a_name_is_asked_for(session: Session, aws: FakeAws) -> None:
    aws.data.strangers[PARAMETER, "/shop/on"] = Holding("a value", is_empty=False)
    aws.stacks.owner = lambda physical_id: "shop-other"  # type: ignore[method-assign]

    with pytest.raises(CheckFailedError) as caught:
        adopting.find(session, [app(session)], {})

    assert caught.value.findings[0].what == "/shop/on belongs to the stack shop-other"


def test_find_what_is_left_is_no_stranger(session: Session, aws: FakeAws) -> None:
    leave(aws, SWITCH)

    assert adopting.find(session, [app(session)], {})["shop-live"].resources == (SWITCH,)


def test_find_named_queue_by_its_url(session: Session, aws: FakeAws) -> None:
    inbox = retained("Inbox", "https://sqs/shop-inbox", definition(QUEUE, {"QueueName": "shop-inbox"}))
    aws.data.strangers[QUEUE, inbox.physical_id] = Holding("", is_empty=True)
    candidate = app(session, {"Resources": {"Inbox": inbox.definition}})

    adoption = adopting.find(session, [candidate], {"Inbox": inbox.physical_id})["shop-live"]

    assert adoption.resources == (inbox,)
    assert adoption.decisions == {"Inbox": inbox.physical_id}


def test_find_table_that_nobody_knew_when_it_is_named(session: Session, aws: FakeAws) -> None:
    aws.data.strangers[TABLE, "restored"] = Holding("9 items", is_empty=False, keys=("id HASH S",))

    backups = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    candidate = app(session, {"Resources": {"Sales": table_definition("id", BillingMode="PAY_PER_REQUEST", **backups)}})

    [table] = adopting.find(session, [candidate], {"Sales": "restored"})["shop-live"].resources

    assert (table.logical_id, table.physical_id) == ("Sales", "restored")
    assert table.definition == table_definition(BillingMode="PAY_PER_REQUEST")


def test_find_named_table_that_does_not_exist_is_a_finding(session: Session) -> None:
    with pytest.raises(CheckFailedError) as caught:
        adopting.find(session, [app(session)], {"Sales": "gone"})

    assert caught.value.findings[0].what == "gone does not exist, or has another type than AWS::DynamoDB::Table"


@pytest.mark.parametrize("name", ["Sales", "app/Sales"])
def test_find_decision_may_name_the_stack(session: Session, aws: FakeAws, name: str) -> None:
    leave(aws, SALES)

    adoption = adopting.find(session, [app(session)], {name: "new"})["shop-live"]

    assert (adoption.resources, adoption.decisions) == ((), {"Sales": "new"})


def test_find_decision_must_name_the_stack_where_two_have_the_resource(session: Session, aws: FakeAws) -> None:
    leave(aws, SALES, BASE_SALES)
    both = [candidate_of(session, "base", template=TEMPLATE), app(session)]

    with pytest.raises(UsageError) as caught:
        adopting.find(session, both, {"Sales": "new"})
    adoptions = adopting.find(session, both, {"base/Sales": "new"})

    known = "app/Sales, app/Switch, base/Sales, base/Switch"
    message = "Sales is not a resource of a stack that would be created in live"
    assert str(caught.value) == f"--adopt: {message}; what can be adopted: {known}"
    assert [adoption.resources for adoption in adoptions.values()] == [(), (SALES,)]


@pytest.mark.parametrize("name", ["Sales", "app/Sales"])
def test_find_decision_that_is_carried_out_already_is_no_error(session: Session, aws: FakeAws, name: str) -> None:
    """The same command finishes an interrupted deployment, which may have created a stack."""
    existing = with_states(session, **{"shop-live-base": "", "shop-live": "IMPORT_COMPLETE"})
    aws.stacks.stacks["shop-live"] = FakeStack(
        "shop-live", "arn:app", "IMPORT_COMPLETE", "", physical_ids={"Sales": SALES.physical_id}
    )

    assert adopting.find(existing, [app(existing)], {name: "new"}) == {}
    assert adopting.find(existing, [app(existing)], {name: SALES.physical_id}) == {}
    with pytest.raises(UsageError, match=r"a stack that would be created in live; every stack exists$"):
        adopting.find(existing, [app(existing)], {name: "sales-2"})
    with pytest.raises(UsageError, match="Till is not a resource"):
        adopting.find(existing, [app(existing)], {"Till": "new"})


def test_find_new_for_a_stack_that_runs_is_refused(session: Session, aws: FakeAws) -> None:
    running = replace(with_states(session, **{"shop-live": "UPDATE_COMPLETE"}), running=Release(1))

    with pytest.raises(UsageError, match="Sales is not a resource of a stack that would be created in live"):
        adopting.find(running, [app(running)], {"Sales": "new"})


def test_find_advises_the_command_that_was_typed(session: Session, aws: FakeAws) -> None:
    leave(aws, SALES, OLD_SALES)

    with pytest.raises(CheckFailedError) as caught:
        adopting.find(replace(session, command="inv deploy --env live --yes"), [app(session)], {})

    assert f"inv deploy --env live --yes --adopt Sales={SALES.physical_id};" in caught.value.findings[0].fix


def test_final_decisions_have_everything_for_a_saved_plan() -> None:
    adoption = Adoption((SALES, SWITCH), {"Inbox": "new", "Sales": SALES.physical_id})

    assert adopting.final_decisions(adoption) == {
        "Inbox": "new",
        "Sales": "shop-live-Sales-1",
        "Switch": "/shop/on",
    }
