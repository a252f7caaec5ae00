"""The mails about a run that failed, and about a start that was refused. Pure."""

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.data_notes import data_blocks, unread_blocks
from the_alchemiser.notifications_v2.explanations import NO_ORDERS, explain_failure, explain_refusal
from the_alchemiser.notifications_v2.facts import stamp, title
from the_alchemiser.notifications_v2.position_section import position_blocks
from the_alchemiser.shared.formats import words
from the_alchemiser.shared.mail_format.blocks import IN_TEXT, Heading, Lines, Page, Paragraph, Steps, Tone
from the_alchemiser.shared.messaging.messages import RunFailed, RunRefused

NEXT = Heading("What to do next")


def failed_page(run: RunFailed, background: Background, *, stage: str) -> Page:
    """Return the mail about a run that failed."""
    situation = explain_failure(run.state, run.reason, run_id=run.run_id)
    show = f"`inv run.show {run.run_id} --env {stage}`"
    affected = (Heading("Affected"), Lines(run.missing, "name", show)) if run.missing else ()
    is_unchanged = situation.effect == NO_ORDERS

    return Page(
        title=title(run),
        sender=f"The Alchemiser, {stage}, run {run.run_id}",
        tone=Tone.BAD,
        preview=run.detail,
        blocks=(
            Paragraph(f"The run failed while {situation.doing} (state {run.state}). {situation.effect}"),
            _cause(run.reason, run.detail, show),
            *affected,
            *position_blocks(background, day=run.trading_date, is_unchanged=is_unchanged, show=show),
            NEXT,
            Steps(situation.steps),
            *data_blocks(run, background, stage=stage),
            *unread_blocks(background),
        ),
        footer=(f"Message {stamp(run)}.",),
    )


def refused_page(refused: RunRefused, background: Background, *, stage: str) -> Page:
    """Return the mail about a start that was refused."""
    advice = explain_refusal(refused.reason, stage=stage)
    return Page(
        title=title(refused),
        sender=f"The Alchemiser, {stage}",
        tone=Tone.BAD,
        preview=refused.detail,
        blocks=(
            Paragraph(f"{advice.meaning} This start sent no orders."),
            _cause(refused.reason, refused.detail, IN_TEXT),
            NEXT,
            Steps(advice.steps),
            *position_blocks(background, day=refused.trading_date, is_unchanged=False, show=IN_TEXT),
            *unread_blocks(background),
        ),
        footer=(
            "You read of each reason once per day, however often a start is refused.",
            f"Message {stamp(refused)}.",
        ),
    )


def _cause(reason: str, detail: str, where: str) -> Lines:
    return Lines((detail,), "line", where, title=f"Reason: {words(reason)}", tone=Tone.BAD)
