"""What needs a person, each with the command that helps: one planted fault per line."""

from dataclasses import replace
from typing import Any

import pytest

from automation.deploying.releases import environment_status
from automation.deploying.releases.environment_status import EnvironmentStatus, StackStatus
from automation.deploying.releases.records import Release, Smoke, Status
from automation.deploying.releases.watch_marks import WatchMark
from automation.deploying.remarks import Level, Remark
from automation.deploying.stacks import stack_states
from automation.system.errors import Finding
from automation.system.overviews import Alarm, Drift, Queue
from automation.system.stacks import StackDescription, StackResource, StackState
from automation.system.targets import Target
from tests.automation.release_tables import LOCK

STATE = StackState("shop-app", "UPDATE_COMPLETE", "arn:app", "2026-01-01T00:00:00+00:00")
RESOURCES = (
    StackResource("Inbox", "https://sqs/inbox", "AWS::SQS::Queue"),
    StackResource("Dead", "https://sqs/dead", "AWS::SQS::Queue"),
    StackResource("DeadAlarm", "alarm-1", "AWS::CloudWatch::Alarm"),
    StackResource("AnyAlarm", "alarm-2", "AWS::CloudWatch::CompositeAlarm"),
    StackResource("Till", "till", "AWS::Lambda::Function"),
)
APP = StackStatus(
    "app", StackDescription(STATE, is_protected=True), RESOURCES, Drift("IN_SYNC", "2026-01-02T00:00:00+00:00")
)
INBOX, DEAD = Queue("https://sqs/inbox", 1, 2, 3), Queue("https://sqs/dead", is_dead_letter=True)
WELL = EnvironmentStatus(
    environment="live",
    target=Target("eu-west-1"),
    stacks=(APP,),
    release=Release(7, commit="c0ffee" * 6, smoke=Smoke.PASSED),
    queues=(INBOX, DEAD),
    setup=(Remark(Level.OK, "SES", "sends mail"),),
    remarks=(Remark(Level.INFO, "run", "finished"), Remark(Level.OK, "switch", "enabled")),
)


def with_state(status: str) -> EnvironmentStatus:
    return replace(
        WELL, stacks=(replace(APP, description=StackDescription(replace(STATE, status=status), is_protected=True)),)
    )


def attention(**changes: Any) -> tuple[Finding, ...]:
    return environment_status.attention(replace(WELL, **changes))


def test_attention_all_well_is_empty() -> None:
    assert attention() == ()


def test_attention_unprotected_stack_is_named() -> None:
    unprotected = replace(APP, description=StackDescription(STATE))
    what, command = "the stack is not protected from deletion", "aws cloudformation update-termination-protection"
    words = "--enable-termination-protection --stack-name shop-app --region eu-west-1"

    assert attention(stacks=(unprotected,)) == (Finding("shop-app", what, f"protect it: {command} {words}"),)
    assert attention(stacks=(unprotected,), is_sandbox=True) == ()
    assert attention(stacks=(unprotected,), lock=LOCK) == ()


def test_attention_failed_creation_is_deployed_again() -> None:
    what, fix = (
        "the stack is ROLLBACK_COMPLETE: its creation failed",
        "fix the cause and deploy again: inv deploy --env live",
    )
    failed = replace(APP, description=StackDescription(replace(STATE, status="ROLLBACK_COMPLETE")))

    assert attention(stacks=(failed,)) == (Finding("shop-app", what, fix),)
    assert attention(stacks=(failed,), lock=LOCK) == ()


def test_attention_failed_deletion_is_finished_by_inv_destroy() -> None:
    [finding] = environment_status.attention(with_state("DELETE_FAILED"))

    assert finding.fix.endswith("delete it, then deploy again: inv destroy --env live")


def test_attention_missing_stack_is_named() -> None:
    missing = StackStatus("new", StackDescription(StackState("shop-new")))

    assert attention(stacks=(APP, missing)) == (
        Finding("shop-new", "the stack is not deployed", "inv deploy --env live"),
    )


def test_attention_stack_that_cannot_be_deployed_is_named() -> None:
    [finding] = environment_status.attention(with_state("UPDATE_ROLLBACK_FAILED"))

    assert (finding.where, finding.what.split(",")[0]) == ("shop-app", "the stack is UPDATE_ROLLBACK_FAILED")
    assert "aws cloudformation continue-update-rollback" in finding.fix


def test_attention_abandoned_change_is_named() -> None:
    assert environment_status.attention(with_state("UPDATE_IN_PROGRESS")) == (
        Finding(
            "shop-app",
            "the stack is UPDATE_IN_PROGRESS, and no deployer holds the lock",
            "wait for it and finish: inv deploy --env live",
        ),
    )


def test_attention_running_deployment_needs_nobody() -> None:
    running = replace(with_state("UPDATE_IN_PROGRESS"), lock=LOCK, release=None)

    assert environment_status.attention(running) == ()


def test_attention_unknown_release_is_named() -> None:
    assert attention(release=None) == (
        Finding(
            "live",
            "the release that runs is unknown: changed outside of inv deploy",
            "compare it: inv diff --env live",
        ),
    )


@pytest.mark.parametrize("status", [Status.FAILED, Status.DEPLOYING])
def test_attention_unfinished_release_is_named(status: Status) -> None:
    assert attention(release=None, newest=Release(8, status=status)) == (
        Finding(
            "live",
            f"the release that runs is unknown: r8 ({status}) did not reach every stack",
            "finish it: inv deploy --env live, or go back: inv rollback --env live",
        ),
    )


def test_attention_failed_release_that_was_rolled_back_needs_nobody() -> None:
    assert attention(newest=Release(8, status=Status.FAILED)) == ()


def test_attention_outside_change_after_a_finished_release_is_unknown() -> None:
    [finding] = attention(release=None, newest=Release(8, status=Status.DEPLOYED))

    assert finding.what == "the release that runs is unknown: changed outside of inv deploy"


@pytest.mark.parametrize(
    ("smoke", "findings", "what"),
    [
        (Smoke.PENDING, (), "r7 is not proven: it was never tested"),
        (Smoke.FAILED, (), "r7 is not proven: its smoke test is failed"),
        (
            Smoke.INCOMPLETE,
            (Finding("Till", "no secret"), Finding("Stock", "slow")),
            "r7 is not proven: its smoke test is incomplete (Till: no secret; Stock: slow)",
        ),
    ],
)
def test_attention_unproven_release_is_named(smoke: Smoke, findings: tuple[Finding, ...], what: str) -> None:
    assert attention(release=Release(7, smoke=smoke, smoke_findings=findings)) == (
        Finding("live", what, "test it again: inv deploy --env live"),
    )


def test_attention_drift_names_the_resources() -> None:
    (finding,) = attention(stacks=(replace(APP, drift=Drift("DRIFTED", "", ("Inbox", "Till"))),))

    assert finding == stack_states.drift("shop-app", WELL.target, resources=("Inbox", "Till"))


@pytest.mark.parametrize("status", ["IN_SYNC", "NOT_CHECKED", "UNKNOWN"])
def test_attention_without_known_drift_is_empty(status: str) -> None:
    assert attention(stacks=(replace(APP, drift=Drift(status)),)) == ()


@pytest.mark.parametrize(("name", "where"), [("alarm-1", "DeadAlarm"), ("alarm-2", "AnyAlarm"), ("else", "else")])
def test_attention_alarm_is_named(name: str, where: str) -> None:
    assert attention(ringing=(Alarm(name, "3 > 0"),)) == (
        Finding(
            where,
            "the alarm is in state ALARM: 3 > 0",
            f"look: aws cloudwatch describe-alarms --alarm-names {name} --region eu-west-1",
        ),
    )


def test_attention_alarm_with_a_description_says_what_it_says() -> None:
    text = "A message waits; see docs/runbook.md#old-messages"

    (finding,) = attention(ringing=(Alarm("alarm-1", "3 > 0", description=text),))

    assert finding.fix == text


@pytest.mark.parametrize("counts", [(4, 0, 0), (1, 3, 0), (0, 0, 4)])
def test_attention_dead_letters_are_named(counts: tuple[int, int, int]) -> None:
    assert attention(queues=(INBOX, Queue("https://sqs/dead", *counts, is_dead_letter=True))) == (
        Finding(
            "Dead",
            "4 message(s) in a dead-letter queue: a function could not handle them",
            "read them: inv dlq.show Dead --env live",
        ),
    )


def test_attention_missing_queue_is_named() -> None:
    assert attention(queues=(INBOX,)) == (
        Finding("Dead", "the queue does not exist any more", "see what differs: inv status --env live --drift"),
    )


@pytest.mark.parametrize("level", [Level.STOP, Level.WARN])
def test_attention_warning_of_the_product_is_named(level: Level) -> None:
    assert attention(remarks=(Remark(level, "switch", "paused", "inv resume"),)) == (
        Finding("switch", "paused", "inv resume"),
    )


@pytest.mark.parametrize("level", [Level.STOP, Level.WARN])
def test_attention_what_must_be_set_up_is_named(level: Level) -> None:
    setup = (Remark(level, "MailFrom", "is not verified", "verify it"), Remark(Level.INFO, "alarms", "not asked"))

    assert attention(setup=setup) == (Finding("MailFrom", "is not verified", "verify it"),)


@pytest.mark.parametrize("review", ["", "REVIEW_IN_PROGRESS"])
def test_attention_undeployed_environment_names_only_its_stacks(review: str) -> None:
    missing = StackStatus("app", StackDescription(StackState("shop-app", review)))
    status = EnvironmentStatus("live", Target("eu-west-1"), (missing,))

    assert [finding.what for finding in environment_status.attention(status)] == ["the stack is not deployed"]
    assert environment_status.attention(replace(status, lock=LOCK)) == ()
    assert (status.is_deployed, status.release_text) == (False, "none: not deployed")


def test_release_text_names_commit_and_test() -> None:
    assert WELL.release_text == "r7 (commit c0ffeec0ffee), smoke test passed"
    assert replace(WELL, release=None).release_text == "unknown: changed outside of inv deploy"
    assert replace(WELL, release=None, lock=LOCK).release_text == "none: a deployment is running"


def test_queue_rows_are_those_with_messages() -> None:
    dead = replace(DEAD, visible=1)
    unknown = Queue("https://sqs/unknown", delayed=1)

    assert environment_status.queue_rows(replace(WELL, queues=(INBOX, DEAD))) == [("Inbox", 1, 2, 3, "")]
    assert environment_status.queue_rows(replace(WELL, queues=(dead, unknown))) == [
        ("Dead", 1, 0, 0, "dead letters"),
        ("https://sqs/unknown", 0, 0, 1, ""),
    ]


def test_as_json_has_everything() -> None:
    status = replace(
        WELL,
        lock=LOCK,
        mark=WatchMark("ann@desk", "2026-01-02"),
        replaced=("Till",),
        ringing=(Alarm("alarm-1", "3 > 0", "2026-01-01"),),
        queues=(INBOX, DEAD),
    )

    assert environment_status.as_json(status) == {
        "format": 1,
        "environment": "live",
        "region": "eu-west-1",
        "endpoint": "",
        "release": 7,
        "smoke": "passed",
        "commit": "c0ffee" * 6,
        "watched": ["Till"],
        "deployer": "ann@desk (arn:aws:iam::123456789012:user/ann)",
        "expires_at": "",
        "stacks": [
            {
                "stack": "app",
                "name": "shop-app",
                "status": "UPDATE_COMPLETE",
                "stack_id": "arn:app",
                "changed_at": "2026-01-01T00:00:00+00:00",
                "drift": "IN_SYNC",
                "drift_checked_at": "2026-01-02T00:00:00+00:00",
                "drifted": [],
                "functions": ["Till"],
            }
        ],
        "alarms": [{"name": "alarm-1", "reason": "3 > 0", "since": "2026-01-01"}],
        "queues": [
            {
                "name": "Inbox",
                "url": "https://sqs/inbox",
                "visible": 1,
                "in_flight": 2,
                "delayed": 3,
                "is_dead_letter": False,
            },
            {
                "name": "Dead",
                "url": "https://sqs/dead",
                "visible": 0,
                "in_flight": 0,
                "delayed": 0,
                "is_dead_letter": True,
            },
        ],
        "setup": [{"level": "ok", "where": "SES", "what": "sends mail", "fix": ""}],
        "lines": [
            {"level": "info", "where": "run", "what": "finished", "fix": ""},
            {"level": "ok", "where": "switch", "what": "enabled", "fix": ""},
        ],
        "attention": [
            {
                "where": "DeadAlarm",
                "what": "the alarm is in state ALARM: 3 > 0",
                "fix": "look: aws cloudwatch describe-alarms --alarm-names alarm-1 --region eu-west-1",
            }
        ],
    }


def test_as_json_unknown_release_is_null() -> None:
    content = environment_status.as_json(replace(WELL, release=None))

    assert (content["release"], content["smoke"], content["commit"], content["deployer"]) == (None, "", "", "")
