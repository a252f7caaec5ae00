from datetime import date
from pathlib import Path

import pytest

from automation.scanning import reasons
from automation.scanning.model import Judgement, Reason, SecurityFinding
from automation.system.errors import ConfigurationError, Finding
from tests.automation.scanning.small_stacks import finding

TODAY = date(2026, 11, 29)
ENTRY = '[[reasons]]\nrules = ["checkov:CKV_1"]\nresources = ["Orders"]\nreason = "why"\n'
SHAPE = 'needs rules = ["checkov:CKV_AWS_117"], resources = ["*Function"] and reason = "why"'


def reason(
    number: int = 1,
    rules: tuple[str, ...] = ("checkov:CKV_1",),
    resources: tuple[str, ...] = ("Orders",),
    until: date | None = None,
) -> Reason:
    return Reason(number, rules, resources, "why", until)


def judge(findings: list[SecurityFinding], *accepted: Reason, tools: tuple[str, ...] = ("checkov",)) -> Judgement:
    return reasons.judge(findings, accepted, tools=tools, today=TODAY)


def read(tmp_path: Path, text: str) -> tuple[Reason, ...]:
    (tmp_path / "security-reasons.toml").write_text(text)
    return reasons.read(tmp_path)


def test_read_without_a_file_returns_no_reasons(tmp_path: Path) -> None:
    assert reasons.read(tmp_path) == ()


def test_read_returns_each_entry_with_its_number(tmp_path: Path) -> None:
    text = f'{ENTRY}\n[[reasons]]\nrules = ["inv:a", "inv:b"]\nresources = ["*"]\nreason = " b "\nuntil = 2030-01-31\n'

    assert read(tmp_path, text) == (
        Reason(1, ("checkov:CKV_1",), ("Orders",), "why"),
        Reason(2, ("inv:a", "inv:b"), ("*",), "b", date(2030, 1, 31)),
    )


def test_read_of_invalid_toml_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"security-reasons\.toml: is not valid TOML: "):
        read(tmp_path, "[[reasons")


@pytest.mark.parametrize("text", ["[[reason]]\n", "reasons = 3\n", "[reasons]\na = 1\n"])
def test_read_of_other_tables_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^security-reasons\.toml: may contain only tables \[\[reasons\]\]$"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('reason = "why"', 'reason = ""', SHAPE),
        ('reason = "why"', 'reason = "say why this is accepted"', SHAPE),
        ('reason = "why"', "reason = 3", SHAPE),
        ('["checkov:CKV_1"]', "[]", SHAPE),
        ('["checkov:CKV_1"]', '"checkov:CKV_1"', SHAPE),
        ('["Orders"]', "[3]", SHAPE),
        ('["Orders"]', '[""]', SHAPE),
        ("rules", "rule", "may contain only reason, resources, rules, until"),
        ('"why"', '"why"\nuntil = "2030-01-31"', "until is not a date, as in until = 2030-01-31"),
        ('"why"', '"why"\nuntil = 2030-01-31T00:00:00', "until is not a date, as in until = 2030-01-31"),
    ],
)
def test_read_of_an_incomplete_entry_says_what_it_needs(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, ENTRY.replace(before, after))

    assert str(caught.value) == f"security-reasons.toml: reason 1: {message}"


def test_read_of_an_entry_that_is_a_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="reason 1: may contain only"):
        read(tmp_path, 'reasons = ["why"]')


def test_judge_finding_with_a_reason_is_accepted() -> None:
    judgement = judge([finding()], reason())

    assert judgement == Judgement((), ((finding(), reason()),), (), (reason(),))
    assert judgement.is_clean


@pytest.mark.parametrize("new", [finding(resource="Bills"), finding("checkov:CKV_2"), finding("other:CKV_1")])
def test_judge_new_finding_is_unexplained(new: SecurityFinding) -> None:
    judgement = judge([finding(), new], reason())

    assert judgement.unexplained == (new,)
    assert not judgement.is_clean


@pytest.mark.parametrize(("pattern", "count"), [("*Function", 2), ("AFunction", 1), ("*function", 0), ("*", 3)])
def test_judge_pattern_covers_the_resources_that_it_matches(pattern: str, count: int) -> None:
    names = ("AFunction", "BFunction", "")

    judgement = judge([finding(resource=name) for name in names], reason(resources=(pattern,)))

    assert len(judgement.accepted) == count


def test_judge_reason_without_a_finding_is_stale() -> None:
    judgement = judge([], reason())

    where = "security-reasons.toml: reason 1"
    assert judgement.faults == (
        Finding(where, "checkov:CKV_1 matches no finding", "remove it"),
        Finding(where, "Orders matches no finding", "remove it"),
    )
    assert not judgement.is_clean


def test_judge_unused_rule_and_unused_resource_of_a_used_reason_are_stale() -> None:
    accepted = reason(2, rules=("checkov:CKV_1", "checkov:CKV_2"), resources=("Bills", "Orders"))

    judgement = judge([finding(), finding("checkov:CKV_3", "Bills")], accepted)

    assert [fault.what for fault in judgement.faults] == [
        "checkov:CKV_2 matches no finding",
        "Bills matches no finding",
    ]
    assert {fault.where for fault in judgement.faults} == {"security-reasons.toml: reason 2"}


def test_judge_reason_that_only_repeats_an_earlier_one_is_not_stale() -> None:
    judgement = judge([finding()], reason(1), reason(2))

    assert judgement.faults == ()
    assert judgement.accepted == ((finding(), reason(1)),)


def test_judge_reason_for_a_tool_that_did_not_run_is_not_stale() -> None:
    assert judge([], reason(), tools=("inv",)).faults == ()


def test_judge_reason_counts_on_its_last_day() -> None:
    assert judge([finding()], reason(until=TODAY)).is_clean


def test_judge_ended_reason_does_not_count_and_is_named() -> None:
    ended = reason(3, until=date(2026, 11, 28))

    judgement = judge([finding()], ended)

    what, fix = (
        "the reason for checkov:CKV_1 ended on 2026-11-28",
        "fix its findings, or decide again and set a later date",
    )
    assert judgement.faults == (Finding("security-reasons.toml: reason 3", what, fix),)
    assert judgement.unexplained == (finding(),)


def test_entries_for_pasted_and_filled_in_accept_the_findings(tmp_path: Path) -> None:
    findings = [finding(resource="B"), finding("inv:x", ""), finding(resource="A"), finding(resource="A", sentence="s")]

    entries = list(reasons.entries_for(findings))

    assert entries == [
        '[[reasons]]\nrules = ["checkov:CKV_1"]\nresources = ["A", "B"]\nreason = "say why this is accepted"\n',
        '[[reasons]]\nrules = ["inv:x"]\nresources = ["*"]\nreason = "say why this is accepted"\n',
    ]
    text = "\n".join(entries).replace("say why this is accepted", "why")
    assert judge(findings, *read(tmp_path, text), tools=("checkov", "inv")).is_clean
