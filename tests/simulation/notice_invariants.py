"""Invariants of what reaches people: every failure once, no mail more than twice, dead letters only with a reason."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain

from tests.simulation.end_state import EndState, Notice
from tests.simulation.reading import Reading
from tests.simulation.scenario import ActKind
from the_alchemiser.notifications_v2.completed_page import FIRST_FIGURES
from the_alchemiser.shared.formats import money
from the_alchemiser.shared.run.runs import RunState

NEWS = frozenset({"RunCompleted", "RunFailed", "RunRefused", "RunSettled", "BooksDiffer"})
NOTIFICATIONS = "notifications_v2"
MOST = 2
SERVICES = {"mail": "ses", "topic": "sns"}
RECORD = "dynamodb.put_item Claims notifications_v2#"
KILLED = ("killed", "timed out")
ON_ITS_WAY = timedelta(seconds=30)


def every_news_is_reported(reading: Reading) -> Iterator[str]:
    """Each message for people reaches them by mail and by topic, or lies in the dead letters, which raise an alarm."""
    news = _news_ids(reading.end)
    dead = dead_subjects(reading.end)
    for channel, notices in _channels(reading.end).items():
        counts = Counter(notice.message_id for notice in notices)
        for message_id in sorted(news - dead - counts.keys()):
            yield f"{message_id} reached nobody by {channel}"
        for message_id in sorted(counts.keys() - news):
            yield f"a {channel} is about {message_id!r}, which was never published"


def _news_ids(end: EndState) -> set[str]:
    news = {message.message_id for message in end.published if message.detail_type in NEWS}
    checks = (message for message in end.published if message.detail_type == "DataQualityChecked")
    return news | {message.message_id for message in checks if not message.detail["passed"]}


def _channels(end: EndState) -> Mapping[str, Sequence[Notice]]:
    return {"mail": end.mails, "topic": end.notices}


def mail_at_most_twice(reading: Reading) -> Iterator[str]:
    """No notice is sent more than twice, and twice only when the attempt that sent it got no recorded answer."""
    for channel, notices in _channels(reading.end).items():
        by_message: dict[str, list[Notice]] = {}
        for notice in notices:
            by_message.setdefault(notice.message_id, []).append(notice)
        for message_id, sent in by_message.items():
            if len(sent) > MOST:
                yield f"{message_id} was sent {len(sent)} times by {channel}"
            elif len(sent) == MOST and not _lost_its_record(reading.end, sent[0], channel):
                yield f"{message_id} was sent twice by {channel}, although the first attempt was recorded"


def mails_say_what_they_know(reading: Reading) -> Iterator[str]:
    """The mail about a completed run has its equity, and its P&L or the reason why it is not there."""
    runs = {message.message_id: message for message in reading.end.published if message.detail_type == "RunCompleted"}
    for mail in reading.end.mails:
        run = runs.get(mail.message_id)
        if run is None:
            continue
        text = " ".join(mail.text.split())
        if money(Decimal(run.detail["equity_after"])) not in text:
            yield f"the mail about {mail.message_id} does not have its equity"
        if not any(phrase in text for phrase in ("P&L of the day", FIRST_FIGURES, "MISSING IN THIS MAIL")):
            yield f"the mail about {mail.message_id} has no P&L, and does not say why"


def _lost_its_record(end: EndState, notice: Notice, channel: str) -> bool:
    """Return whether nobody recorded that the notice was sent: the answer, or the record itself, may be lost."""
    attempts = [
        attempt
        for attempt in end.attempts
        if (attempt.function, attempt.subject) == (NOTIFICATIONS, notice.message_id) and attempt.at <= notice.at
    ]
    # A request that is on its way when its function dies may still arrive.
    if any(attempt.result in KILLED and attempt.ended_at >= notice.at - ON_ITS_WAY for attempt in attempts):
        return True

    invocations = {attempt.invocation for attempt in attempts}
    own = (line for line in end.trace if line.function == NOTIFICATIONS and line.invocation in invocations)
    return any(line.fault and line.call.startswith((SERVICES[channel], f"{RECORD}{channel}#")) for line in own)


def every_subject_is_handled(reading: Reading) -> Iterator[str]:
    """Everything that a function received was handled in the end, or lies in the dead letters."""
    dead = dead_subjects(reading.end)
    handled = {(attempt.function, attempt.subject) for attempt in reading.end.attempts if attempt.result == "handled"}
    received = {(attempt.function, attempt.subject) for attempt in reading.end.attempts}
    for function, subject in sorted(received - handled):
        if subject not in dead and not _is_command(subject):
            yield f"{function} never handled {subject}, and no dead letter says so"


def _is_command(subject: str) -> bool:
    return "/" not in subject


def dead_letters_have_a_reason(reading: Reading) -> Iterator[str]:
    """A dead letter was tried three times and never handled after its last failure."""
    attempts = Counter((attempt.subject) for attempt in reading.end.attempts if attempt.result != "handled")
    for subject in sorted(dead_subjects(reading.end)):
        if attempts[subject] < 1:
            yield f"{subject} lies in the dead letters, but no attempt at it failed"


def dead_subjects(end: EndState) -> frozenset[str]:
    """Return the message ids, or the commands, of all dead letters."""
    return frozenset(_subject(body) for body in chain.from_iterable(end.dead_letters.values()))


def _subject(body: str) -> str:
    content = json.loads(body)
    return str(content["command"] if "command" in content else content["detail"]["message_id"])


def every_day_is_reported(reading: Reading) -> Iterator[str]:
    """A day without a completed run is reported: by a failed run, a refusal, or dead letters of the coordinator."""
    for day in reading.end.scenario.dates:
        runs = [run for run in reading.end.runs.values() if run.trading_date == day]
        if any(run.state is RunState.COMPLETED for run in runs):
            continue
        is_told = bool(runs) or any(
            message.detail_type == "RunRefused" and message.detail["trading_date"] == day.isoformat()
            for message in reading.end.published
        )
        if not is_told and not (dead_subjects(reading.end) & {"start-run"}):
            yield f"{day} had no completed run, and nobody read of it"


def every_forced_start_answers(reading: Reading) -> Iterator[str]:
    """A person who forces a start gets a run, a refusal, or a dead letter."""
    refused = [message.at for message in reading.end.published if message.detail_type == "RunRefused"]
    for act in reading.end.scenario.acts:
        if act.kind is not ActKind.FORCE:
            continue
        began = any(reading.began_at(run_id) >= act.at for run_id in reading.end.runs)
        is_refused = any(at >= act.at for at in refused)
        if not (began or is_refused or "start-run" in dead_subjects(reading.end)):
            yield f"the start forced at {act.at:%H:%M:%S} led to no run and to no refusal"
