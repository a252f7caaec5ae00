"""Sessions and planned stacks made by hand, for the tests of what is done with a plan."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automation.deploying.candidates import Candidate
from automation.deploying.changes import comparison
from automation.deploying.changes.model import Assessment, Expanded
from automation.deploying.planning import PlannedStack
from automation.deploying.plans import NextRelease, Plan
from automation.deploying.releases.records import ReleasedStack
from automation.deploying.sessions import Session
from automation.deploying.stacks.change_sets import ChangeSet
from automation.project.model import Project
from automation.system.stacks import StackDescription, StackState
from tests.automation.deploying.fake_accounts import IDENTITY, NOW, PUSHED, scope_of
from tests.automation.fake_aws import FakeAws

STACK_IDS = {"base": "arn:base", "app": "arn:app"}
TEMPLATES = {"base": "s3://shop/code/base.json", "app": "s3://shop/code/app.json"}


def session_of(shop: Project, aws: FakeAws | None = None, *, name: str = "live") -> Session:
    scope = scope_of(shop, name)
    return Session(scope, (aws or FakeAws()).connect(scope), IDENTITY, PUSHED, (), (), None, NOW)


def candidate_of(
    session: Session, stack: str = "app", *, template: Mapping[str, Any] | None = None, **parameters: str
) -> Candidate:
    """Return what a stack would become; `parameters` are added to those of samconfig.toml."""
    (settings,) = (settings for settings in session.scope.stacks if settings.stack.name == stack)
    settings = replace(settings, parameters={**settings.parameters, **parameters})
    code = {"Till": "a" * 64} if stack == "app" else {"Stock": "b" * 64}
    released = ReleasedStack(stack, settings.stack_name, f"digest of {stack}", TEMPLATES[stack], code=code)
    return Candidate(settings, released, template or {"Resources": {}}, f"https://s3/{stack}")


def planned(
    candidate: Candidate,
    before: Expanded | None,
    after: Expanded,
    *,
    described: Mapping[str, Any] | None = None,
    is_empty: bool = False,
    awaited: tuple[str, ...] = (),
) -> PlannedStack:
    """Return the plan of a stack; with `awaited` it is provisional and has no change set."""
    name, stack = candidate.settings.stack_name, candidate.released.stack
    status = "" if before is None else "UPDATE_COMPLETE"
    state = StackState(name, status, STACK_IDS[stack] if before else "", "2026-01-01T00:00:00+00:00" if before else "")
    change_set = ChangeSet(
        id=f"arn:set:{stack}",
        stack_id=STACK_IDS[stack],
        stack_name=name,
        is_new_stack=before is None,
        status="CREATE_COMPLETE",
        is_empty=is_empty,
        described=described or {},
    )
    changes = comparison.compare(stack, before, after)
    set_of_stack = None if awaited else change_set
    return PlannedStack(candidate, StackDescription(state), before, after, changes, set_of_stack, awaited)


def plan_of(session: Session, *stacks: PlannedStack, assessment: Assessment | None = None, **release: Any) -> Plan:
    return Plan(session, NextRelease(8, "c" * 40, **release), stacks, assessment or Assessment())
