"""A plan as a review comment."""

from dataclasses import replace

from automation.deploying.changes.model import Assessment
from automation.deploying.views import plan_markdown
from automation.deploying.views.plan_view import PlanView
from tests.automation.deploying.plan_examples import CHANGES, VIEW, WIDEN

COMMENT = r"""### Deployment plan

prod: AWS account 1, us-east-1, r7 -> 34fef64

**forbidden: 2 dangers of 4 changes: replace:Ledger, gsi:Runs**

- data shop-data: unchanged
- trading shop (provisional: imports BusName)

| danger | stack | what would happen | instead | allow with |
|---|---|---|---|---|
| replace:Ledger | trading | is replaced | keep KeySchema | --allow replace:Ledger |
| gsi:Runs | trading | adds a, adds b | deploy one index at a time | AWS refuses it |

| allowed | stack | what will happen |
|---|---|---|
| widen:Role | trading | may s3:\* on \* |

| kind | stack | resource | change |
|---|---|---|---|
| data loss | trading | Ledger | is replaced |
| monitoring | trading | Alarm | Threshold: 0 -> 1 |

<details><summary>1 more</summary>

| kind | stack | resource | change |
|---|---|---|---|
| other | trading | F, G | MemorySize: 1 -> 2 |

</details>

- not rehearsed here: quotas
- --allow delete:Ledger: this plan has no such danger"""


def test_render_shows_dangers_first_and_folds_the_rest() -> None:
    assert plan_markdown.render(VIEW) == COMMENT


def test_render_empty_plan_is_title_and_verdict() -> None:
    assert plan_markdown.render(PlanView("prod", "AWS")) == "### Deployment plan\n\nprod: AWS\n\n**nothing to do**"


def test_render_leaves_out_empty_sections() -> None:
    view = replace(VIEW, assessment=Assessment(CHANGES[:1], allowed=(WIDEN,)), notes=(), stacks=())

    comment = plan_markdown.render(view)

    assert "would happen" not in comment
    assert "<details>" not in comment
    assert comment.endswith("| data loss | trading | Ledger | is replaced |")
