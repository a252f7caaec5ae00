"""What a plan says: folded lines, the verdict in one sentence, the options that allow."""

from dataclasses import replace

import pytest

from automation.deploying.changes.model import Action, Assessment, Danger, Rank, RankedChange
from automation.deploying.views import plan_view
from automation.deploying.views.plan_view import PlanView, StackView
from tests.automation.deploying.plan_examples import CHANGES, FORBIDDEN, REFUSED, REPLACE, VIEW, WIDEN, line


def folded(*changes: RankedChange, stacks: tuple[StackView, ...] = ()) -> list[tuple[str, str]]:
    view = PlanView("prod", "AWS", Assessment(changes), stacks=stacks)
    return [(change.resource, change.what) for change in plan_view.folded(view)]


def test_folded_joins_resources_about_which_the_same_is_said() -> None:
    assert folded(*CHANGES)[-1] == ("F, G", "MemorySize: 1 -> 2")
    assert len(folded(*CHANGES)) == 3


@pytest.mark.parametrize(
    "other",
    [
        line(Rank.CODE, "B", "x"),
        line(Rank.OTHER, "B", "y"),
        line(Rank.OTHER, "B", "x", stack="data"),
        line(Rank.OTHER, "B", "x", attention=True),
        replace(line(Rank.OTHER, "B", "x"), type="T"),
        replace(line(Rank.OTHER, "B", "x"), action=Action.ADD),
    ],
)
def test_folded_keeps_different_lines_apart(other: RankedChange) -> None:
    assert len(folded(line(Rank.OTHER, "A", "x"), other)) == 2


@pytest.mark.parametrize(("count", "end"), [(8, "R7"), (9, "R7 and 1 more")])
def test_folded_names_at_most_eight_resources(count: int, end: str) -> None:
    [(resources, _)] = folded(*(line(Rank.OTHER, f"R{number}", "x") for number in range(count)))

    assert resources.endswith(f", {end}")


def test_folded_new_stack_is_one_line() -> None:
    stacks = (StackView("data", "shop-data", is_new=True), StackView("trading", "shop"))
    added = [
        RankedChange(Rank.OTHER, "data", name, kind, Action.ADD, "added")
        for name, kind in (("A", "AWS::SQS::Queue"), ("B", "AWS::SQS::QueuePolicy"), ("C", "AWS::SQS::Queue"))
    ]

    view = PlanView("prod", "AWS", Assessment((*added, line(Rank.OTHER, "X", "added"))), stacks=stacks)

    [kept, summary] = plan_view.folded(view)
    assert (kept.resource, kept.what) == ("X", "added")
    assert (summary.stack, summary.resource, summary.what) == ("data", "new stack", "added: 2 queues, 1 queue policy")
    assert (summary.rank, summary.action, summary.type) == (Rank.OTHER, Action.ADD, "")
    assert summary.needs_attention is False


def test_folded_new_stack_keeps_what_is_not_just_added() -> None:
    stacks = (StackView("data", "shop-data", is_new=True),)
    danger = line(Rank.PERMISSIONS, "Role", "may s3:* on *", stack="data", attention=True)
    grants = [line(Rank.PERMISSIONS, name, "added: may a", stack="data", attention=True) for name in "AB"]

    view = PlanView("prod", "AWS", Assessment((danger, *grants)), stacks=stacks)

    assert [(change.what, change.needs_attention) for change in plan_view.folded(view)] == [
        ("may s3:* on *", True),
        ("added: 2 tables", True),
    ]


def test_folded_plural_of_policy_is_policies() -> None:
    stacks = (StackView("trading", "shop", is_new=True),)
    policies = [replace(line(Rank.OTHER, name, "added"), type="AWS::SQS::QueuePolicy") for name in "AB"]

    assert folded(*policies, stacks=stacks) == [("new stack", "added: 2 queue policies")]


@pytest.mark.parametrize(
    ("assessment", "sentence"),
    [
        (FORBIDDEN, "forbidden: 2 dangers of 4 changes: replace:Ledger, gsi:Runs"),
        (Assessment(CHANGES[:1], (REPLACE,)), "forbidden: 1 danger of 1 change: replace:Ledger"),
        (Assessment(CHANGES), "needs consent: 2 of 4 changes need attention"),
        (Assessment(CHANGES[:1]), "needs consent: 1 of 1 change needs attention"),
        (
            Assessment(CHANGES, allowed=(REPLACE, WIDEN)),
            "needs consent: 2 of 4 changes need attention; allowed by name: replace:Ledger, widen:Role",
        ),
        (Assessment(CHANGES[2:]), "safe: 2 changes"),
        (Assessment(), "nothing to do"),
    ],
)
def test_verdict_line_is_one_sentence(assessment: Assessment, sentence: str) -> None:
    assert plan_view.verdict_line(assessment) == sentence


def test_ranks_have_names_for_people() -> None:
    assert [plan_view.RANKS[rank] for rank in Rank] == [
        "data loss",
        "replacement",
        "permissions",
        "monitoring",
        "watched setting",
        "code",
        "layers",
        "other",
    ]


def test_allow_options_leave_out_what_aws_refuses() -> None:
    assert plan_view.allow_options([REPLACE, REFUSED, WIDEN]) == "--allow replace:Ledger --allow widen:Role"
    assert plan_view.allow_options([REFUSED]) == ""


@pytest.mark.parametrize(
    ("view", "title"),
    [
        (VIEW, "prod: AWS account 1, us-east-1, r7 -> 34fef64"),
        (PlanView("prod", "AWS", to_commit="abc"), "prod: AWS, abc"),
        (PlanView("prod", "AWS"), "prod: AWS"),
        (PlanView("", "main", from_release="v1", to_commit="work tree"), "main, v1 -> work tree"),
    ],
)
def test_title_says_where_and_from_what_to_what(view: PlanView, title: str) -> None:
    assert view.title == title


def test_notes_name_options_without_a_danger() -> None:
    assert VIEW.all_notes == ("not rehearsed here: quotas", "--allow delete:Ledger: this plan has no such danger")


def test_explain_joins_names_and_sentences() -> None:
    dangers = (
        Danger("replace", "app", "Ledger", Rank.DATA_LOSS, "is replaced"),
        Danger("widen", "app", "Role", Rank.PERMISSIONS, "may s3:* on *", "name the bucket"),
    )

    assert plan_view.explain(dangers) == "replace:Ledger: is replaced; widen:Role: may s3:* on *"
