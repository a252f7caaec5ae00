"""Secrets, senders, subscribers and drift: what is missing warns, with the command that provides it."""

from pathlib import Path

import pytest

from automation.deploying import asked_parameters
from automation.deploying.checks import readiness
from automation.deploying.remarks import Level, Remark
from automation.project import model
from automation.project.model import Project
from automation.project.settings import Secret
from automation.system.accounts import DeployedStack, SecretState, Subscribers
from automation.system.stacks import StackState
from automation.system.targets import Target
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.projects import APP, SAMCONFIG, make_shop

AWS = Target("eu-west-1")
SECRET = Secret("/shop/{env}/till")
TOPICS = """
  Alone:
    Type: AWS::SNS::Topic
  Inline:
    Type: AWS::SNS::Topic
    Properties: {Subscription: [{Protocol: email, Endpoint: a@b.de}]}
  Followed:
    Type: AWS::SNS::Topic
  Follower:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Followed, Protocol: email, Endpoint: a@b.de}
"""


@pytest.mark.parametrize(
    ("address", "is_example"),
    [
        ("me@example.com", True),
        ("Me <me@mail.Example.org>", True),
        ("a@shop.de, b@example.net", True),
        ("me@myexample.com", False),
        ("me@example.community", False),
        ("https://example.com/", False),
        ("me@shop.de", False),
        ("", False),
    ],
)
def test_is_example_reserved_domains_only(address: str, is_example: bool) -> None:
    assert asked_parameters.is_example(address) is is_example


def test_example_remarks_name_parameter_and_file(tmp_path: Path) -> None:
    samconfig = SAMCONFIG.replace("BaseStack=shop-live-base", "BaseStack=b Colour=me@example.com")
    scope = scope_of(model.load(make_shop(tmp_path, samconfig_toml=samconfig)), "live")

    assert readiness.example_remarks(scope.stacks) == (
        Remark(
            Level.WARN,
            "shop-live",
            "Colour is an example: me@example.com",
            'add "Colour=you@your-company.com", with a real address, to parameter_overrides of '
            "samconfig.toml: [live.deploy.parameters]",
        ),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("me@shop.de", {"Colour": "me@shop.de"}), ("me@example.com", {}), ("", {})],
)
def test_senders_without_examples(tmp_path: Path, value: str, expected: dict[str, str]) -> None:
    samconfig = SAMCONFIG.replace("BaseStack=shop-live-base", f"BaseStack=b Colour={value}")
    scope = scope_of(model.load(make_shop(tmp_path, samconfig_toml=samconfig)), "live")

    assert readiness.senders(scope.stacks, ["Colour", "Missing"]) == expected


def test_sender_remark_unverified_offers_the_command() -> None:
    assert readiness.sender_remark("From", "me@shop.de", is_verified=True, target=AWS) == Remark(
        Level.OK, "From", "SES may send from me@shop.de"
    )
    assert readiness.sender_remark("From", "me@shop.de", is_verified=False, target=AWS) == Remark(
        Level.WARN,
        "From",
        "SES has not verified me@shop.de, so no mail is sent",
        "open the link in the mail that this sends: "
        "aws sesv2 create-email-identity --email-identity me@shop.de --region eu-west-1",
    )


@pytest.mark.parametrize(
    ("state", "remark"),
    [
        (SecretState.PRESENT, Remark(Level.OK, "/shop/live/till", "the secret exists")),
        (
            SecretState.DELETED,
            Remark(
                Level.WARN,
                "/shop/live/till",
                "the secret is deleted, but can be restored",
                "aws secretsmanager restore-secret --secret-id /shop/live/till --region eu-west-1",
            ),
        ),
        (
            SecretState.MISSING,
            Remark(
                Level.WARN,
                "/shop/live/till",
                "the secret does not exist",
                "inv secrets.set --env live /shop/live/till",
            ),
        ),
    ],
)
def test_secret_remark_of_each_state(state: SecretState, remark: Remark) -> None:
    assert readiness.secret_remark(SECRET, "live", state, AWS) == remark


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("a@shop.de", ("a@shop.de",)),
        ("Ann <a@shop.de>, b@shop.de", ("a@shop.de", "b@shop.de")),
        ("a@shop.de, a@shop.de, c@example.com", ("a@shop.de",)),
        ("", ()),
    ],
)
def test_recipients_are_addresses_without_examples(tmp_path: Path, value: str, addresses: tuple[str, ...]) -> None:
    samconfig = SAMCONFIG.replace('"BaseStack=shop-live-base"', f'["BaseStack=b", "Colour={value}"]')
    scope = scope_of(model.load(make_shop(tmp_path, samconfig_toml=samconfig)), "live")

    assert readiness.recipients(scope.stacks, ["Colour", "Missing"]) == addresses


def test_recipient_remark_unverified_offers_both_ways_out() -> None:
    what = "gets no mail: SES is in its sandbox, and has not verified the address"
    verify = "aws sesv2 create-email-identity --email-identity a@shop.de --region eu-west-1"
    leave = (
        "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL "
        "--website-url https://your-company.com --region eu-west-1"
    )
    fix = f"open the link in the mail that this sends: {verify}; or ask AWS to take SES out of its sandbox: {leave}"

    assert readiness.recipient_remark("a@shop.de", is_verified=False, target=AWS) == Remark(
        Level.WARN, "a@shop.de", what, fix
    )
    assert readiness.recipient_remark("a@shop.de", is_verified=True, target=AWS) == Remark(
        Level.OK, "a@shop.de", "SES may send to it"
    )


@pytest.mark.parametrize(("colour", "level"), [("green", Level.WARN), ("red", Level.OK)])
def test_new_topic_remark_subscriber_depends_on_its_condition(tmp_path: Path, colour: str, level: Level) -> None:
    conditions = "Conditions: {IsRed: !Equals [!Ref Colour, red]}\n"
    topics = TOPICS.replace("  Follower:\n", "  Follower:\n    Condition: IsRed\n")
    samconfig = SAMCONFIG.replace("BaseStack=shop-live-base", f"BaseStack=b Colour={colour}")
    root = make_shop(tmp_path, app_yaml=conditions + APP.lstrip() + topics, samconfig_toml=samconfig)

    remark = readiness.new_topic_remark(scope_of(model.load(root), "live").stacks[1], "Followed", "live")

    assert remark.level is level


def test_topics_of_a_template(tmp_path: Path) -> None:
    scope = scope_of(model.load(make_shop(tmp_path, app_yaml=APP + TOPICS)), "live")

    assert [readiness.topics(settings) for settings in scope.stacks] == [(), ("Alone", "Inline", "Followed")]


@pytest.mark.parametrize("topic", ["Inline", "Followed"])
def test_new_topic_remark_with_a_subscriber_in_the_template(tmp_path: Path, topic: str) -> None:
    scope = scope_of(model.load(make_shop(tmp_path, app_yaml=APP + TOPICS)), "live")

    assert readiness.new_topic_remark(scope.stacks[1], topic, "live") == Remark(
        Level.OK, f"shop-live: {topic}", "the template has a subscriber for the topic"
    )


def test_new_topic_remark_without_subscriber_warns(tmp_path: Path) -> None:
    scope = scope_of(model.load(make_shop(tmp_path, app_yaml=APP + TOPICS)), "live")

    assert readiness.new_topic_remark(scope.stacks[1], "Alone", "live") == Remark(
        Level.WARN,
        "shop-live: Alone",
        "the topic will have no subscriber",
        "deploy, then run inv doctor --env live: it prints the command that subscribes",
    )


@pytest.mark.parametrize(
    ("subscribers", "level", "what"),
    [
        (Subscribers(1, 0), Level.OK, "the topic has 1 subscriber(s)"),
        (Subscribers(2, 1), Level.OK, "the topic has 2 subscriber(s)"),
        (Subscribers(0, 1), Level.WARN, "nobody receives its messages: 1 subscription(s) are pending confirmation"),
        (Subscribers(0, 0), Level.WARN, "the topic has no subscriber, so nobody receives its messages"),
    ],
)
def test_topic_remark_of_each_count(subscribers: Subscribers, level: Level, what: str) -> None:
    remark = readiness.topic_remark("shop: Alone", "arn:topic", subscribers, AWS)

    assert (remark.level, remark.where, remark.what) == (level, "shop: Alone", what)
    assert bool(remark.fix) is (level is Level.WARN)


def test_topic_remark_pending_subscription_is_confirmed_by_mail() -> None:
    fix = readiness.topic_remark("x", "arn:topic", Subscribers(0, 2), AWS).fix

    mail = 'open the mail "AWS Notification - Subscription Confirmation", also in the folder for spam, and its link'
    assert fix == mail


def test_topic_remark_offers_the_command_that_subscribes() -> None:
    assert readiness.topic_remark("x", "arn:topic", Subscribers(0, 0), AWS).fix == (
        "with your own address: aws sns subscribe --topic-arn arn:topic --protocol email "
        "--notification-endpoint you@your-company.com --region eu-west-1"
    )


@pytest.mark.parametrize("drift", ["", "NOT_CHECKED", "IN_SYNC", "UNKNOWN"])
def test_drift_remark_without_drift(drift: str) -> None:
    stack = DeployedStack(StackState("shop", "UPDATE_COMPLETE"), drift=drift)

    assert readiness.drift_remark(stack, AWS) == Remark(Level.OK, "shop", "no drift is known")


def test_drift_remark_warns_and_shows_what_differs() -> None:
    stack = DeployedStack(StackState("shop", "UPDATE_COMPLETE"), drift="DRIFTED")

    assert readiness.drift_remark(stack, AWS) == Remark(
        Level.WARN,
        "shop",
        "resources differ from the template: changed outside of CloudFormation",
        "see how: aws cloudformation describe-stack-resource-drifts --stack-resource-drift-status-filters "
        "MODIFIED DELETED --stack-name shop --region eu-west-1",
    )


def test_example_remarks_of_real_values_are_empty(shop: Project) -> None:
    assert readiness.example_remarks(scope_of(shop, "live").stacks) == ()
