"""docs/runbook.md has an entry for each alarm of the templates and each reason in a mail, and its commands exist."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import batched
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import Session, get_session

from tests.templates.reading import Template, load, of_type
from the_alchemiser.notifications_v2 import explanations

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
TEMPLATES = ("template.yaml", "data-template.yaml")
LONGEST = 6
ALARM = "AWS::CloudWatch::Alarm"
MAILS = {"run-failed", "run-refused", "trading-paused", "a-strategy-failed", "trades-not-filled"}
MAILS |= {"market-data-failed-the-check", "orders-settled-late", "holdings-left-alone", "wrong-account"}
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_KIND = re.compile(r"docs/runbook\.md#([\w-]+)")
_AWS = re.compile(r"\baws ([a-z0-9-]+) ([a-z0-9-]+)((?:(?!\baws ).)*)")
_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)")
# Options of the AWS CLI itself, and its commands that are more than one call.
GLOBAL = frozenset({"query", "output", "region", "endpoint-url", "profile"})
HIGH_LEVEL = frozenset({"s3", "configure", "sso"})


def entries(text: str) -> dict[str, str]:
    """Return the text of each entry by its anchor, as GitHub makes it of a heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")): body for title, body in batched(parts, 2)}


def prose(entry: str) -> list[str]:
    """Return the lines of an entry outside of commands and tables."""
    return [line for line in _FENCE.sub("", entry).splitlines() if line and not line.startswith(("|", "<!--"))]


def alarms(template: Template) -> dict[str, str]:
    """Return the anchor that each alarm's description names, by logical id; empty for none."""
    texts = {name: str(alarm["Properties"].get("AlarmDescription")) for name, alarm in of_type(template, ALARM)}
    return {name: match[1] if (match := _KIND.search(text)) else "" for name, text in texts.items()}


@cache
def service_models() -> Session:
    return get_session()


def unknown_calls(text: str) -> Iterator[str]:
    """Yield the calls and options in a text's commands that AWS does not have."""
    for service, call, rest in _AWS.findall("\n".join(_FENCE.findall(text)).replace("\\\n", " ")):
        if service in HIGH_LEVEL:
            continue
        model = service_models().get_service_model(service)
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        if call not in operations:
            yield f"aws {service} {call}"
            continue
        shape = model.operation_model(operations[call]).input_shape
        options = {xform_name(name, "-") for name in shape.members} if shape else set()
        yield from (f"aws {service} {call} --{name}" for name in _OPTION.findall(rest) if name not in options | GLOBAL)


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_alarm_names_an_entry(name: str) -> None:
    known = entries(RUNBOOK).keys()

    assert [alarm for alarm, anchor in alarms(load(name)).items() if anchor not in known] == []


def test_each_entry_belongs_to_an_alarm_or_a_mail() -> None:
    kinds: set[str] = set()
    for name in TEMPLATES:
        kinds |= set(alarms(load(name)).values())

    assert set(entries(RUNBOOK)) == kinds | MAILS


def test_entries_are_short_and_have_a_command() -> None:
    long = {anchor for anchor, body in entries(RUNBOOK).items() if len(prose(body)) > LONGEST}
    silent = {anchor for anchor, body in entries(RUNBOOK).items() if not re.search("^```sh$", body, re.MULTILINE)}

    assert (long, silent) == (set(), set())


def test_run_refused_explains_each_reason() -> None:
    reasons = set(re.findall(r"`(\w+)`", RUNBOOK.partition("<!-- reasons -->")[2].partition("<!-- end")[0]))

    assert set(explanations._REFUSALS) <= reasons


def test_table_names_the_resources_of_each_module() -> None:
    rows = RUNBOOK.partition("<!-- modules -->")[2].partition("<!-- end")[0].splitlines()[3:]
    resources: set[str] = set()
    modules: set[str] = set()
    for name in TEMPLATES:
        template = load(name)
        resources |= template["Resources"].keys()
        functions = of_type(template, "AWS::Serverless::Function")
        modules |= {str(function["Properties"]["CodeUri"]).split("/")[1] for _, function in functions}

    assert {row.split("|")[1].strip() for row in rows} == modules
    assert set(re.findall(r"`(\w+)`", "\n".join(rows))) <= resources


def test_calls_of_the_runbook_exist_at_aws() -> None:
    assert list(unknown_calls(RUNBOOK)) == []


def test_unknown_calls_finds_a_planted_call_and_option() -> None:
    text = "```sh\naws sqs move-messages --x 1\naws sqs list-queues --queue-name-prefix a \\\n  --fast\n```\n"

    assert list(unknown_calls(text)) == ["aws sqs move-messages", "aws sqs list-queues --fast"]


def test_alarms_of_a_planted_description_without_an_entry() -> None:
    template = {"Resources": {"A": {"Type": ALARM, "Properties": {"AlarmDescription": "x"}}}}

    assert alarms(template) == {"A": ""}
