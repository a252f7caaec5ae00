"""A plan: how it is made, shown and bound, and what a provisional stack may not add to it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automation.deploying import plans
from automation.deploying.changes.model import Action, Assessment, Danger, Expanded, Rank, RankedChange, Verdict
from automation.deploying.plan_files import PlannedStack as BoundStack
from automation.deploying.plans import NextRelease, Plan
from automation.deploying.releases.records import Release, ReleasedStack, Status
from automation.deploying.sessions import Session
from automation.deploying.views.plan_view import PlanView, StackView
from automation.project.model import Project
from automation.project.settings import Watched
from automation.system.errors import CheckFailedError, DeploymentError, Finding
from automation.system.stacks import StackDescription, StackState
from tests.automation.deploying.planned_changes import FUNCTION, QUEUE, TABLE, resource
from tests.automation.deploying.planned_stacks import TEMPLATES, candidate_of, plan_of, planned, session_of
from tests.automation.fake_aws import FakeAws

EMPTY, FILLED = Expanded({"Resources": {}}), Expanded({"Resources": {"Queue": resource(QUEUE)}})
LINE = RankedChange(Rank.OTHER, "app", "Queue", QUEUE, Action.ADD, "added")
DANGER = Danger("delete", "app", "Sales", Rank.DATA_LOSS, "is deleted", "keep it")
ASSESSMENT = Assessment((LINE,), allowed=(DANGER,))


def till(key: str) -> dict[str, Any]:
    return resource(FUNCTION, {"Code": {"S3Bucket": "shop", "S3Key": key}})


@pytest.fixture
def session(shop: Project) -> Session:
    return session_of(shop)


def test_view_names_environment_releases_stacks_and_notes(session: Session) -> None:
    base, app = candidate_of(session, "base"), candidate_of(session)
    plan = plan_of(
        replace(session, running=Release(7)),
        planned(base, EMPTY, EMPTY, is_empty=True),
        planned(app, EMPTY, FILLED),
        assessment=ASSESSMENT,
    )

    assert plans.view(plan, notes=["not rehearsed"]) == PlanView(
        environment="live",
        target="AWS account 123456789012, eu-west-1",
        assessment=ASSESSMENT,
        from_release="r7",
        to_commit="r8 ccccccccc",
        stacks=(StackView("base", "shop-live-base", "unchanged"), StackView("app", "shop-live", "changes")),
        notes=("not rehearsed",),
    )
    assert plan.verdict is Verdict.CONSENT


def test_view_of_new_and_provisional_stacks(session: Session) -> None:
    base, app = candidate_of(session, "base"), candidate_of(session)
    plan = plan_of(session, planned(base, None, FILLED), planned(app, EMPTY, FILLED, awaited=("bus", "sales")))

    view = plans.view(plan)

    assert (view.from_release, view.notes) == ("", ())
    assert view.stacks == (
        StackView("base", "shop-live-base", "new", is_new=True),
        StackView("app", "shop-live", "changes", provisional="waits for the exports bus, sales"),
    )


@pytest.mark.parametrize(
    ("release", "text"),
    [
        (NextRelease(8, "c" * 40, is_dirty=True), "r8 ccccccccc (dirty)"),
        (NextRelease(1), "r1"),
    ],
)
def test_view_commit_is_short(session: Session, release: NextRelease, text: str) -> None:
    assert plans.view(replace(plan_of(session), release=release)).to_commit == text


def test_saved_is_bound_to_everything_that_it_was_made_from(session: Session) -> None:
    base, app = candidate_of(session, "base"), candidate_of(session, Colour="blue")
    plan = plan_of(
        session, planned(base, None, FILLED), planned(app, EMPTY, FILLED), assessment=ASSESSMENT, is_dirty=True
    )

    saved = plans.saved(plan)

    assert saved.stacks == (
        BoundStack(
            stack="base",
            stack_name="shop-live-base",
            template=TEMPLATES["base"],
            digest="digest of base",
            code={"Stock": "b" * 64},
            change_set="arn:set:base",
        ),
        BoundStack(
            stack="app",
            stack_name="shop-live",
            stack_id="arn:app",
            changed_at="2026-01-01T00:00:00+00:00",
            template=TEMPLATES["app"],
            digest="digest of app",
            parameters={"BaseStack": "shop-live-base", "Colour": "blue"},
            code={"Till": "a" * 64},
            change_set="arn:set:app",
        ),
    )
    assert (saved.environment, saved.consent) == ("live", "word")
    assert (saved.account, saved.region, saved.endpoint) == ("123456789012", "eu-west-1", "")
    assert (saved.commit, saved.is_dirty, saved.assessment) == ("c" * 40, True, ASSESSMENT)


def test_saved_time_is_in_whole_seconds_of_utc(session: Session) -> None:
    created_at = datetime.fromisoformat(plans.saved(plan_of(session)).created_at)

    assert (created_at.utcoffset(), created_at.microsecond) == (timedelta(0), 0)
    assert abs(datetime.now(UTC) - created_at) < timedelta(minutes=1)


def test_saved_empty_and_provisional_stacks_have_no_change_set(session: Session) -> None:
    base, app = candidate_of(session, "base"), candidate_of(session)
    plan = plan_of(session, planned(base, EMPTY, EMPTY, is_empty=True), planned(app, EMPTY, FILLED, awaited=("bus",)))

    assert [stack.change_set for stack in plans.saved(plan).stacks] == ["", ""]


def test_saved_hides_parameters_that_are_not_to_be_shown(session: Session) -> None:
    template = {"Parameters": {"Pin": {"NoEcho": True}}, "Resources": {}}
    app = candidate_of(session, template=template, Pin="hunter22")

    (stack,) = plans.saved(plan_of(session, planned(app, EMPTY, FILLED))).stacks

    assert stack.parameters == {"BaseStack": "shop-live-base", "Pin": "(hidden)"}


def test_bound_stack_that_only_has_a_change_set_counts_as_new(session: Session) -> None:
    state = StackState("shop-live", "REVIEW_IN_PROGRESS", "arn:app", "2026-01-01T00:00:00+00:00")

    saved = plans.bound(
        session,
        [candidate_of(session)],
        {"shop-live": StackDescription(state)},
        NextRelease(1),
        change_sets={},
        assessment=Assessment(),
    )

    assert [(stack.stack_id, stack.changed_at, stack.change_set) for stack in saved.stacks] == [("", "", "")]


def require_consented(session: Session, present: Assessment, *, shown: Assessment = ASSESSMENT) -> None:
    plans.require_consented(planned(candidate_of(session), EMPTY, FILLED), shown, present)


def refusal(session: Session, present: Assessment) -> tuple[Finding, ...]:
    """Return what a provisional stack holds that the plan did not show."""
    with pytest.raises(CheckFailedError) as caught:
        require_consented(session, present)

    message = "shop-live: the change set holds what the plan did not show; this stack was not changed"
    assert str(caught.value) == f"{message}. Deploy again to see all"
    return caught.value.findings


def test_require_consented_same_or_fewer_changes_pass(session: Session) -> None:
    require_consented(session, ASSESSMENT)
    require_consented(session, Assessment())
    require_consented(session, Assessment((replace(LINE, what="added with a value that was unknown"),)))


@pytest.mark.parametrize(
    "difference",
    [{"resource": "Dead"}, {"rank": Rank.WATCHED}, {"action": Action.REMOVE}, {"stack": "base"}],
    ids=lambda difference: next(iter(difference)),
)
def test_require_consented_other_change_is_named(session: Session, difference: Mapping[str, Any]) -> None:
    more = replace(LINE, what="is more", **difference)

    assert refusal(session, Assessment((LINE, more))) == (Finding(f"shop-live: {more.resource}", "is more"),)


def test_require_consented_new_danger_is_named_with_its_fix(session: Session) -> None:
    danger = replace(DANGER, resource="Stock")

    assert refusal(session, Assessment((LINE,), dangers=(DANGER, danger))) == (
        Finding("shop-live: Stock", "is deleted", "keep it"),
    )


def test_require_consented_danger_that_was_shown_passes(session: Session) -> None:
    shown = Assessment((LINE,), dangers=(DANGER,))

    require_consented(session, Assessment(dangers=(DANGER,)), shown=shown)


def test_require_consented_names_changes_and_dangers_together(session: Session) -> None:
    present = Assessment((replace(LINE, resource="Dead"),), dangers=(replace(DANGER, resource="Stock"),))

    assert len(refusal(session, present)) == 2


def store_template(aws: FakeAws, **resources: Any) -> None:
    """Put a template where the candidate of stack app has its own."""
    aws.store.objects["app", ""] = json.dumps({"Resources": resources}).encode()


def make(session: Session, **options: Any) -> Plan:
    return plans.make(session, NextRelease(8, "c" * 40), [candidate_of(session)], **options)


def deploy_template(session: Session, aws: FakeAws, **resources: Any) -> None:
    store_template(aws, **resources)
    make(session)
    aws.stacks.execute_change_set(next(iter(aws.stacks.sets)), token="t")
    aws.stacks.stack_state(candidate_of(session).settings.stack_name)
    aws.stacks.sets.clear()


def test_make_creates_a_change_set_that_discard_deletes(shop: Project) -> None:
    aws = FakeAws()
    store_template(aws, Queue=resource(QUEUE))

    plan = make(session_of(shop, aws), lines=(replace(LINE, stack="", what="breaks"),))

    assert len(aws.stacks.sets) == 1
    assert [line.what for line in plan.assessment.changes] == ["breaks", "added"]
    plans.discard(plan)
    assert aws.stacks.sets == {}


def test_make_has_session_release_and_unused_names(shop: Project) -> None:
    aws = FakeAws()
    store_template(aws, Queue=resource(QUEUE))
    session = session_of(shop, aws)

    plan = make(session, allow=["delete:Sales"])

    assert (plan.session, plan.release) == (session, NextRelease(8, "c" * 40))
    assert plan.assessment.unused == ("delete:Sales",)


@pytest.mark.parametrize(("name", "verdict"), [("live", Verdict.FORBIDDEN), ("here", Verdict.CONSENT)])
def test_make_enforces_dangers_outside_a_sandbox(shop: Project, name: str, verdict: Verdict) -> None:
    aws = FakeAws()
    session = session_of(shop, aws, name=name)
    deploy_template(session, aws, Sales=resource(TABLE))
    store_template(aws, Queue=resource(QUEUE))

    assert make(session).verdict is verdict


def test_make_watches_the_settings_of_the_project(shop: Project) -> None:
    aws = FakeAws()
    watched = Watched("pace", resource="Queue", property="DelaySeconds", forbid=("9",))
    watching = replace(shop, settings=replace(shop.settings, watched=(watched,)))
    session = session_of(watching, aws)
    deploy_template(session, aws, Queue=resource(QUEUE, {"DelaySeconds": 1}))
    store_template(aws, Queue=resource(QUEUE, {"DelaySeconds": 9}))

    assert [danger.name for danger in make(session).assessment.dangers] == ["watched:Queue"]


def test_make_reads_indexes_and_reasons(shop: Project) -> None:
    aws = FakeAws()
    session = session_of(shop, aws)
    deploy_template(session, aws, Till=till("a.zip"), Sales=resource(TABLE))
    store_template(aws, Till=till("b.zip"), Sales=resource(TABLE, {"GlobalSecondaryIndexes": [{"IndexName": "day"}]}))

    plan = make(session, reasons=lambda: {"Till": "shop/till/handler.py"})

    assert "code: shop/till/handler.py" in [line.what for line in plan.assessment.changes]
    assert aws.tables.asked == [aws.stacks.stacks["shop-live"].physical_ids["Sales"]]


def test_make_failing_assessment_leaves_no_change_set(shop: Project) -> None:
    aws = FakeAws()
    session = session_of(shop, aws)
    deploy_template(session, aws, Till=till("a.zip"))
    store_template(aws, Till=till("b.zip"))

    def fail() -> Mapping[str, str]:
        assert aws.stacks.sets
        raise DeploymentError("AWS does not answer")

    with pytest.raises(DeploymentError, match="does not answer"):
        make(session, reasons=fail)

    assert aws.stacks.sets == {}


def unfinished(session: Session, *known: Release) -> Release | None:
    return plans.unfinished(replace(session, known=known), [candidate_of(session)])


def test_unfinished_is_the_newest_release_with_the_same_content(session: Session) -> None:
    content = (ReleasedStack("app", "shop-live", "digest of app"),)
    same = Release(7, status=Status.DEPLOYING, stacks=content)

    assert unfinished(session, same) == same
    assert unfinished(session) is None
    assert unfinished(session, replace(same, status=Status.DEPLOYED)) is None
    assert unfinished(session, Release(8, status=Status.FAILED), same) is None
    assert unfinished(session, replace(same, stacks=(replace(content[0], digest="another"),))) is None
    assert unfinished(session, replace(same, stacks=(*content, ReleasedStack("base", "shop-live-base")))) is None


def test_next_release_is_a_deployment_without_contracts_by_default() -> None:
    release = NextRelease(1)

    assert (release.commit, release.is_dirty, release.contracts) == ("", False, "")
    assert (release.breaking, release.rollback_to) == ((), 0)
