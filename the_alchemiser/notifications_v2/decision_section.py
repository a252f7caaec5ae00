"""Which decisions were near to another outcome, and why nothing was traded. Pure."""

from collections import Counter
from collections.abc import Iterator

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.explanations import explain_trade_reason
from the_alchemiser.notifications_v2.facts import missed_trades
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.mail_format.blocks import Block, Heading, Lines, Paragraph, Tone
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.run.plan import BELOW_MINIMUM, BELOW_SMALLEST, RebalancePlan


def fragile_blocks(background: Background, *, show: str) -> tuple[Block, ...]:
    """Return the section about fragile decisions; empty when no strategy's decisions are known."""
    answers = background.answers
    if not answers:
        return ()
    heading = Heading("Fragile decisions")
    fragile, total = sum(answer.fragile_count for answer in answers), sum(answer.decision_count for answer in answers)
    if not fragile:
        return (heading, Paragraph(_none_of(total)))

    lines: list[str] = []
    for answer in answers:
        lines += [f"{answer.strategy}: {sentences}" for sentences in answer.fragile]
    are, them = ("is", "it") if fragile == 1 else ("are", "them")
    summary = f"{fragile} of {plural(total, 'decision')} {are} fragile: a small price move would have reversed {them}."
    return (heading, Paragraph(summary), Lines(tuple(lines), "fragile decision", show))


def _none_of(total: int) -> str:
    if not total:
        return "The weights are fixed: there was nothing to decide."
    none = "The only decision is not" if total == 1 else f"None of the {total} decisions is"
    return f"{none} fragile: a small price move would have reversed nothing."


def nothing_traded(run: RunCompleted, background: Background, *, show: str) -> tuple[Block, ...]:
    """Return a note that says why nothing was traded; empty when something was."""
    if any(outcome.filled_quantity for outcome in run.outcomes):
        return ()
    if run.outcomes:
        reasons = Counter(reason for _, reason in missed_trades(run))
        lines = [
            f"{plural(count, 'trade')}: {explain_trade_reason(reason)} ({reason})."
            for reason, count in reasons.most_common()
        ]
        return (_why(lines, show, Tone.WARNING),)

    lines = [*_not_due(background), *(_of_plan(background.plan) if background.plan else ())]
    return (_why(lines, show, Tone.GOOD),) if lines else ()


def _why(lines: list[str], show: str, tone: Tone) -> Lines:
    return Lines(tuple(lines), "reason", show, title="Why nothing was traded", tone=tone)


def _not_due(background: Background) -> Iterator[str]:
    """Say which strategies did not decide on this run's closes, if it is known of every one."""
    if len(background.answers) != background.strategy_count:
        return
    waiting = [answer for answer in background.answers if not answer.is_due]
    if waiting and len(waiting) == len(background.answers):
        yield "No strategy was due to rebalance: the weights have only drifted since they were decided."
    for answer in waiting:
        yield f"{answer.strategy} decided on the closes of {answer.decided_on} (rebalance {answer.rebalance})."


def _of_plan(plan: RebalancePlan) -> Iterator[str]:
    """Say why the plan trades none of its symbols."""
    idle = [decision for decision in plan.decisions if decision.side is None]
    if not idle:
        yield "The plan had nothing to decide: no symbol is held, and none that can be traded is a target."
    elif all(BELOW_MINIMUM in decision.reason for decision in idle):
        yield "Every holding is so close to its target that its change is below the minimum for a trade."
    elif all(BELOW_SMALLEST in decision.reason for decision in idle):
        yield "Every change is less than the smallest quantity that trades, which is a whole share for some symbols."
    yield from (f"{decision.symbol}: {decision.reason}." for decision in idle)
