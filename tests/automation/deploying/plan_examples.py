"""A plan with every kind of line, for the tests of how plans are shown."""

from automation.deploying.changes.model import Action, Assessment, Danger, Rank, RankedChange
from automation.deploying.views.plan_view import PlanView, StackView

TABLE = "AWS::DynamoDB::Table"
REPLACE = Danger("replace", "trading", "Ledger", Rank.DATA_LOSS, "is replaced", "keep KeySchema")
REFUSED = Danger("gsi", "trading", "Runs", Rank.DATA_LOSS, "adds a, adds b", "deploy one index at a time")
WIDEN = Danger("widen", "trading", "Role", Rank.PERMISSIONS, "may s3:* on *")


def line(rank: Rank, resource: str, what: str, *, stack: str = "trading", attention: bool = False) -> RankedChange:
    return RankedChange(rank, stack, resource, TABLE, Action.MODIFY, what, needs_attention=attention)


CHANGES = (
    line(Rank.DATA_LOSS, "Ledger", "is replaced", attention=True),
    line(Rank.MONITORING, "Alarm", "Threshold: 0 -> 1", attention=True),
    line(Rank.OTHER, "F", "MemorySize: 1 -> 2"),
    line(Rank.OTHER, "G", "MemorySize: 1 -> 2"),
)
FORBIDDEN = Assessment(CHANGES, (REPLACE, REFUSED), (WIDEN,), ("delete:Ledger",))
VIEW = PlanView(
    "prod",
    "AWS account 1, us-east-1",
    FORBIDDEN,
    from_release="r7",
    to_commit="34fef64",
    stacks=(StackView("data", "shop-data", "unchanged"), StackView("trading", "shop", provisional="imports BusName")),
    notes=("not rehearsed here: quotas",),
)
