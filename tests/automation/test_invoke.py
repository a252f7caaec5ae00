"""`inv invoke` sends one event to a deployed function, or runs its built artifact here, and prints what it answers."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from automation import invoke as front
from automation.invoke import Options, Sources
from automation.system import console
from automation.system.accounts import Identity
from automation.system.errors import AutomationError, CheckFailedError, ConfigurationError, UsageError
from automation.system.invocations import Configuration, LoggedInvocation
from automation.system.stacks import NoSuchStackError
from tests.automation.deploying.fake_accounts import TIMELESS
from tests.automation.projects import write_files

PYPROJECT = """
[tool.alchemiser]
messages = "post:ROUTES"
samples = ["post:samples"]
smoke = { health = true }

[tool.alchemiser.environments.here]
region = "us-east-1"
consent = "none"
endpoint = "http://127.0.0.1:1"
key_id = "test"
secret = "test"

[tool.alchemiser.environments.live]
region = "eu-west-1"
account = "123456789012"
consent = "word"
"""

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Environment: {Variables: {TABLE: !Ref Table, COLOUR: green}}}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Inbox: {Type: AWS::SQS::Queue}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [post], detail-type: [Sent]}
      Targets: [{Id: inbox, Arn: !GetAtt Inbox.Arn}, {Id: clerk, Arn: !GetAtt Clerk.Arn}]
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/reading/
      Handler: app.handler
      AutoPublishAlias: current
      Events: {Mail: {Type: SQS, Properties: {Queue: !GetAtt Inbox.Arn}}}
  Clerk:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/clerk/
      Handler: app.handler
      Events: {Mail: {Type: SQS, Properties: {Queue: !GetAtt Inbox.Arn}}}
"""

POST = """
ROUTES = {
    "Sent": {"source": "post", "producers": ["Desk"], "consumers": ["reading", "Clerk"]},
    "Lost": {"source": "post", "producers": ["Desk"], "consumers": ["Clerk"], "queued": True},
    "Torn": {"source": "post", "producers": ["Desk"], "consumers": ["Clerk"]},
}

def samples(context):
    detail = {"stamp": context["environment"]}
    return {name: {"source": "post", "detail-type": name, "detail": detail} for name in ("Sent", "Lost")}
"""

ECHO = """
import os

def handler(event, context):
    print('{"level": "INFO", "message": "seen"}')
    names = ("TABLE", "COLOUR", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID")
    return {"event": event, **{name: os.environ.get(name) for name in names}}
"""

SAMCONFIG = """
version = 0.1
[here.deploy.parameters]
stack_name = "office-here"
[live.deploy.parameters]
stack_name = "office-live"
"""


@dataclass
class Office:
    """A project of two functions, as it is deployed."""

    root: Path
    identity: Identity = TIMELESS
    invoked: list[tuple[str, Any]] = field(default_factory=list)
    result: LoggedInvocation = field(default_factory=lambda: LoggedInvocation(answer={"ok": True}))
    stacks: tuple[str, ...] = ("office-here", "office-live")

    def functions(self, stack_name: str) -> Mapping[str, str]:
        if stack_name not in self.stacks:
            raise NoSuchStackError("there is no such stack", where=stack_name)
        return {"Reader": "office-reader", "Clerk": "office-clerk"}

    def invoke_with_log(self, function: str, payload: str) -> LoggedInvocation:
        self.invoked.append((function, json.loads(payload)))
        return self.result

    def configuration(self, function: str) -> Configuration:
        return Configuration({"TABLE": f"table of {function}"}, 256, 30)

    def credentials(self) -> Mapping[str, str]:
        return {"AWS_ACCESS_KEY_ID": "ours"}

    def invoke(self, name: str, env: str = "here", **options: Any) -> None:
        front.invoke(
            self.root,
            name,
            env,
            variables={},
            options=Options(**options),
            connect=lambda _: Sources(lambda: self.identity, self),
        )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    files = {"pyproject.toml": PYPROJECT, "template.yaml": TEMPLATE, "post.py": POST, "samconfig.toml": SAMCONFIG}
    write_files(tmp_path, {**files, "functions/reading/app.py": ECHO, "functions/clerk/app.py": ECHO})
    return Office(tmp_path)


def answer_of(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the JSON among the printed lines."""
    text = capsys.readouterr().out
    return json.loads(text[text.index("\n{") : text.rindex("}") + 1])


def test_invoke_without_an_event_sends_the_message_of_the_smoke_test(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.result = LoggedInvocation(
        answer={"ok": True},
        log='START RequestId: 1\n{"level": "WARNING", "message": "low"}\nplain\nREPORT RequestId: 1\n',
    )
    office.invoke("Clerk", "live")

    assert office.invoked == [("office-clerk", {"health": True})]
    assert capsys.readouterr().out == 'WARNING  low\nplain\nREPORT RequestId: 1\n{\n  "ok": true\n}\n'


@pytest.mark.parametrize("name", ["Reader", "reading"])
def test_invoke_uses_the_alias_that_events_use(office: Office, name: str) -> None:
    office.invoke(name)

    assert [function for function, _ in office.invoked] == ["office-reader:current"]


def test_invoke_file_is_sent_as_it_is(office: Office, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('[1, "two"]')

    office.invoke("Clerk", event=str(tmp_path / "event.json"))

    assert office.invoked == [("office-clerk", [1, "two"])]


def test_invoke_event_may_come_from_the_standard_input(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": 1}'))

    office.invoke("Clerk", event="-")

    assert office.invoked == [("office-clerk", {"a": 1})]


def test_invoke_message_arrives_in_a_record_of_the_queue_that_the_function_reads(office: Office) -> None:
    office.invoke("Reader", message="Sent")

    [(_, event)] = office.invoked
    [record] = event["Records"]
    assert json.loads(record["body"]) == {"source": "post", "detail-type": "Sent", "detail": {"stamp": "here"}}
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:Inbox"
    assert (record["eventSource"], record["attributes"]["ApproximateReceiveCount"]) == ("aws:sqs", "1")


def test_invoke_message_of_a_rule_to_the_function_itself_arrives_as_it_is(office: Office) -> None:
    office.invoke("Clerk", message="Sent")

    assert office.invoked[0][1]["detail-type"] == "Sent"


def test_invoke_queued_message_arrives_in_a_record(office: Office) -> None:
    office.invoke("Clerk", message="Lost")

    assert json.loads(office.invoked[0][1]["Records"][0]["body"])["detail-type"] == "Lost"


@pytest.mark.parametrize(
    ("name", "options", "error", "text"),
    [
        ("Reader", {"message": "Lost"}, UsageError, "Reader does not consume Lost; its messages are: Sent"),
        ("Reader", {"message": "sent"}, UsageError, "Reader does not consume sent; its messages are: Sent"),
        ("Clerk", {"message": "Torn"}, ConfigurationError, "samples: no function of samples returns a Torn"),
        ("Bear", {}, UsageError, "there is no function 'Bear'; did you mean Reader. The functions are: Reader, Clerk"),
        ("app", {}, UsageError, "'app' names more than one function: main/Reader, main/Clerk; type"),
        ("Clerk", {"event": "e.json", "message": "Sent"}, UsageError, "--event and --message exclude each other"),
        ("Clerk", {"event": "no.json"}, UsageError, "--event no.json cannot be read: .*No such file"),
        ("Clerk", {"debug_port": 5678}, UsageError, "--debug-port is for an invocation on this machine; add --local"),
        ("Clerk", {"is_local": True, "debug_port": 65536}, UsageError, "between 1 and 65535, got 65536"),
        ("Clerk", {"is_local": True, "debug_port": -1}, UsageError, "between 1 and 65535, got -1"),
    ],
)
def test_invoke_wrong_request_says_what_to_type(
    office: Office, name: str, options: dict[str, Any], error: type[AutomationError], text: str
) -> None:
    with pytest.raises(error, match=text):
        office.invoke(name, **options)

    assert office.invoked == []


def test_invoke_file_that_is_not_json_is_refused(office: Office, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{")

    with pytest.raises(UsageError, match=r"event\.json is not JSON: "):
        office.invoke("Clerk", event=str(tmp_path / "event.json"))


def test_invoke_needs_an_environment_or_this_machine(office: Office) -> None:
    with pytest.raises(UsageError, match="add --env ENV, or --local"):
        office.invoke("Clerk", "")


def test_invoke_message_without_a_registry_says_which_setting_is_missing(office: Office) -> None:
    settings = office.root / "pyproject.toml"
    settings.write_text(PYPROJECT.replace('messages = "post:ROUTES"', ""))

    with pytest.raises(ConfigurationError, match=r"messages: --message needs the registry of messages"):
        office.invoke("Clerk", message="Sent")


def test_invoke_event_in_production_is_confirmed_with_its_name(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(question: str) -> str:
        asked.append(question)
        return "no"

    monkeypatch.setattr(console, "is_interactive", lambda: True)
    monkeypatch.setattr(console, "ask", refuse)

    with pytest.raises(UsageError, match="cancelled: nothing was changed"):
        office.invoke("Clerk", "live", message="Sent")
    assert asked == ["Type live to send Sent to Clerk in live:"]
    assert office.invoked == []

    monkeypatch.setattr(console, "ask", lambda _: "live")
    office.invoke("Clerk", "live", message="Sent")
    assert len(office.invoked) == 1


def test_invoke_event_in_production_without_a_terminal_needs_yes(office: Office) -> None:
    with pytest.raises(UsageError, match="invoke Clerk --env live: must be confirmed"):
        office.invoke("Clerk", "live", message="Sent")

    office.invoke("Clerk", "live", message="Sent", yes=True)
    assert len(office.invoked) == 1


def test_invoke_in_another_account_is_refused(office: Office) -> None:
    office.identity = Identity("999999999999", "arn:aws:iam::999999999999:user/ann")

    with pytest.raises(CheckFailedError):
        office.invoke("Clerk", "live")
    assert office.invoked == []


def test_invoke_environment_that_is_not_deployed_says_so(office: Office) -> None:
    office.stacks = ()

    with pytest.raises(UsageError, match="here has no function 'Clerk'; deploy first: inv deploy --env here"):
        office.invoke("Clerk")


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (LoggedInvocation(error="KeyError: 'x'", log="b"), "Clerk: failed: KeyError: 'x'"),
        (LoggedInvocation(answer={"batchItemFailures": [{}]}), "Clerk: reports 1 record as failed; its log says why"),
    ],
)
def test_invoke_function_that_fails_is_a_failure(
    office: Office, capsys: pytest.CaptureFixture[str], result: LoggedInvocation, text: str
) -> None:
    office.result = result

    with pytest.raises(CheckFailedError, match=text):
        office.invoke("Clerk", json=True)

    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        "format": 1,
        "function": "Clerk",
        "answer": result.answer,
        "error": result.error,
        "stack": [],
        "log": [result.log] if result.log else [],
        "took": "",
    }


@pytest.mark.parametrize("answer", [{"batchItemFailures": []}, [], None, "batchItemFailures"])
def test_invoke_other_answers_are_no_failure(office: Office, answer: Any) -> None:
    office.result = LoggedInvocation(answer=answer)

    office.invoke("Clerk")


def test_invoke_here_runs_the_built_artifact_with_the_variables_of_its_template(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.invoke("Clerk", "", is_local=True, message="Sent")

    out = capsys.readouterr().out
    assert out.startswith("INFO     seen\n")
    assert out.splitlines()[-1].startswith("import ")
    answer = json.loads(out[out.index("\n{") : out.rindex("}") + 1])
    assert answer["event"]["detail"] == {"stamp": ""}
    assert (answer["TABLE"], answer["COLOUR"]) == ("value-of-TABLE", "green")
    assert (office.root / ".aws-sam/build/Clerk/app.py").is_file()


def test_invoke_here_with_an_environment_uses_its_variables_and_our_credentials(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.invoke("Reader", is_local=True)

    answer = answer_of(capsys)
    assert answer["TABLE"] == "table of office-reader:current"
    assert answer["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert answer["AWS_ACCESS_KEY_ID"] == "ours"
    assert office.invoked == []


def test_invoke_here_runs_what_was_edited(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.invoke("Clerk", "", is_local=True)
    capsys.readouterr()
    (office.root / "functions/clerk/app.py").write_text("def handler(event, context):\n    return {'new': True}\n")

    office.invoke("Clerk", "", is_local=True)

    assert '"new": true' in capsys.readouterr().out


def test_invoke_here_what_cannot_run_says_why(office: Office) -> None:
    template = office.root / "template.yaml"
    template.write_text(template.read_text().replace("Runtime: python3.12", "Runtime: python3.9"))

    with pytest.raises(UsageError, match=r"Clerk cannot run here: the SDK no longer runs on its runtime python3\.9"):
        office.invoke("Clerk", "", is_local=True)
