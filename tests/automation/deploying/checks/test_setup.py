"""What a person has to set up, by topic, over an account without AWS."""

from pathlib import Path

import pytest

from automation.deploying.checks import setup
from automation.deploying.remarks import Level, Remark
from automation.project.model import Project
from automation.system.accounts import SecretState, Subscribers
from automation.system.stacks import StackResource
from tests.automation.deploying.checks.visited_accounts import NOT_REHEARSED, changed_shop, stack, visit_to
from tests.automation.deploying.fake_accounts import FakeAccount, denied, unsupported
from tests.automation.projects import APP, PYPROJECT, SAMCONFIG

ALARM_TYPES = {"slow": "Alarm", "any": "CompositeAlarm"}
SETTINGS = """
[[tool.alchemiser.secrets]]
name = "/shop/{env}/till"

[[tool.alchemiser.secrets]]
name = "/shop/word"
"""


def test_secret_remarks_of_every_declared_secret(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT + SETTINGS)
    account = FakeAccount(secrets={"/shop/live/till": SecretState.PRESENT})

    remarks = setup.secret_remarks(visit_to(account, shop))

    assert [(remark.level, remark.where) for remark in remarks] == [
        (Level.OK, "/shop/live/till"),
        (Level.WARN, "/shop/word"),
    ]


def test_secret_remarks_unsupported_call_is_a_note(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT + SETTINGS)

    remarks = setup.secret_remarks(visit_to(FakeAccount(failing={"secret": unsupported()}), shop))

    assert remarks == [
        Remark(Level.INFO, "/shop/live/till", NOT_REHEARSED),
        Remark(Level.INFO, "/shop/word", NOT_REHEARSED),
    ]


@pytest.mark.parametrize(
    ("verified", "level"), [(["me@shop.de"], Level.OK), (["shop.de"], Level.OK), (["de"], Level.WARN)]
)
def test_sender_remarks_address_or_domain_is_verified(tmp_path: Path, verified: list[str], level: Level) -> None:
    pyproject = PYPROJECT.replace('package = "shop"', 'package = "shop"\nsenders = ["Colour"]')
    samconfig = SAMCONFIG.replace("Colour=red", "Colour=me@shop.de")
    samconfig = samconfig.replace("BaseStack=shop-live-base", "BaseStack=b Colour=me@shop.de")
    shop = changed_shop(tmp_path, pyproject_toml=pyproject, samconfig_toml=samconfig)
    account = FakeAccount(verified=verified)

    [remark] = setup.sender_remarks(visit_to(account, shop))

    assert (remark.level, remark.where) == (level, "Colour")
    assert setup.sender_remarks(visit_to(account, shop, name="here")) == []


def test_topic_remarks_of_deployed_and_new_topics(tmp_path: Path) -> None:
    topics = "  Known:\n    Type: AWS::SNS::Topic\n  New:\n    Type: AWS::SNS::Topic\n"
    shop = changed_shop(tmp_path, app_yaml=APP + topics)
    app = stack("shop-live", "", StackResource("Known", "arn:known", "AWS::SNS::Topic"))
    account = FakeAccount(topics={"arn:known": Subscribers(1, 0)})

    remarks = setup.topic_remarks(visit_to(account, shop, stack("shop-live-base"), app))

    assert remarks == [
        Remark(Level.OK, "shop-live: Known", "the topic has 1 subscriber(s)"),
        Remark(
            Level.WARN,
            "shop-live: New",
            "the topic will have no subscriber",
            "deploy, then run inv doctor --env live: it prints the command that subscribes",
        ),
    ]
    assert setup.topic_remarks(visit_to(account, shop, name="here")) == []


def test_topic_remarks_of_topics_that_alarms_notify(tmp_path: Path) -> None:
    """The general rule: each topic that an alarm notifies needs a subscriber, and each topic is named once."""
    shop = changed_shop(tmp_path, app_yaml=APP + "  Known:\n    Type: AWS::SNS::Topic\n")
    alarms = [StackResource(name, name, f"AWS::CloudWatch::{kind}") for name, kind in ALARM_TYPES.items()]
    app = stack("shop-live", "", StackResource("Known", "arn:known", "AWS::SNS::Topic"), *alarms)
    account = FakeAccount(
        topics={"arn:known": Subscribers(1, 0), "arn:heard": Subscribers(1, 0)},
        alarms={"slow": ("arn:known", "arn:deaf"), "any": ("arn:heard",)},
    )

    remarks = setup.topic_remarks(visit_to(account, shop, stack("shop-live-base"), app))

    assert [(remark.level, remark.where) for remark in remarks] == [
        (Level.OK, "shop-live: Known"),
        (Level.WARN, "arn:deaf"),
        (Level.OK, "arn:heard"),
    ]
    assert "alarm_topics any slow" in account.asked


def test_topic_remarks_alarms_without_an_answer_are_a_remark(tmp_path: Path) -> None:
    app = stack("shop-live", "", StackResource("Slow", "slow", "AWS::CloudWatch::Alarm"))
    account = FakeAccount(failing={"alarm_topics": denied()})

    remarks = setup.topic_remarks(visit_to(account, changed_shop(tmp_path), stack("shop-live-base"), app))

    assert [(remark.level, remark.where) for remark in remarks] == [(Level.WARN, "alarms")]


def test_topic_remarks_without_alarms_asks_nothing(shop: Project) -> None:
    account = FakeAccount()

    assert setup.topic_remarks(visit_to(account, shop)) == []
    assert account.asked == []


def with_recipients(tmp_path: Path) -> Project:
    pyproject = PYPROJECT.replace('package = "shop"', 'package = "shop"\nrecipients = ["Colour"]')
    samconfig = SAMCONFIG.replace('"BaseStack=shop-live-base"', '["BaseStack=b", "Colour=a@shop.de, b@till.de"]')
    return changed_shop(tmp_path, pyproject_toml=pyproject, samconfig_toml=samconfig)


@pytest.mark.parametrize(
    ("verified", "levels"),
    [((), [Level.WARN, Level.WARN]), (("a@shop.de", "till.de"), [Level.OK, Level.OK]), (("de",), [Level.WARN] * 2)],
)
def test_recipient_remarks_in_the_sandbox_of_ses(
    tmp_path: Path, verified: tuple[str, ...], levels: list[Level]
) -> None:
    account = FakeAccount(is_restricted=True, verified=verified)

    remarks = setup.recipient_remarks(visit_to(account, with_recipients(tmp_path)))

    assert [remark.where for remark in remarks] == ["a@shop.de", "b@till.de"]
    assert [remark.level for remark in remarks] == levels


def test_recipient_remarks_outside_of_it_need_no_verification(tmp_path: Path) -> None:
    account = FakeAccount()

    remarks = setup.recipient_remarks(visit_to(account, with_recipients(tmp_path)))

    assert remarks == [Remark(Level.OK, "SES", "sends mail to every address")]
    assert account.asked == ["is_mail_restricted"]


def test_recipient_remarks_without_an_answer_say_so(tmp_path: Path) -> None:
    account = FakeAccount(failing={"is_mail_restricted": unsupported()})

    [remark] = setup.recipient_remarks(visit_to(account, with_recipients(tmp_path)))

    assert remark == Remark(Level.INFO, "SES", NOT_REHEARSED)


def test_recipient_remarks_of_a_sandbox_or_without_recipients_are_none(tmp_path: Path, shop: Project) -> None:
    account = FakeAccount(is_restricted=True)

    assert setup.recipient_remarks(visit_to(account, with_recipients(tmp_path), name="here")) == []
    assert setup.recipient_remarks(visit_to(account, shop)) == []
    assert account.asked == []


def test_topic_remarks_unanswered_question_names_the_topic(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, app_yaml=APP + "  Known:\n    Type: AWS::SNS::Topic\n")
    app = stack("shop-live", "", StackResource("Known", "arn:known", "AWS::SNS::Topic"))
    account = FakeAccount(failing={"subscribers": unsupported()})

    [remark] = setup.topic_remarks(visit_to(account, shop, stack("base"), app))

    assert remark == Remark(Level.INFO, "shop-live: Known", NOT_REHEARSED)
