"""The end of a day on the deployed sandbox, in the values that the simulator's invariants read.

Two clocks meet here. Orders and fills carry the exchange's time, which stands still while a day is traded; the stacks
and the queues carry the wall clock. A run's changes are therefore given the exchange's time at which it was started.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from types import MappingProxyType
from typing import Any

from sandbox.exchange.account import Account
from sandbox.exchange.sessions import session_on
from sandbox.exchange.store import StateFile
from tests.chaos.disturbing import TradedDay
from tests.chaos.drawing import Trial
from tests.chaos.stage import BUS_WITNESS, CASH, TOPIC_WITNESS, Stage
from tests.simulation.end_state import AccountView, Attempt, BooksChange, EndState, Notice, Published, RunChange
from tests.simulation.notice_invariants import NEWS, NOTIFICATIONS
from tests.simulation.scenario import AccountPlan, DayKind, FaultKind, Scenario
from the_alchemiser.notifications_v2.channels import MAX_SNS_SUBJECT_CHARS
from the_alchemiser.notifications_v2.subject import mail_subject
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.books.dynamo_books import BOOKS
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.corporate_actions import read_actions
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.messaging.messages import BY_NAME
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.progress import releases_of
from the_alchemiser.shared.run.runs import META, Run

ENABLED = "enabled"
TIMED_OUT = "Task timed out"
_KILLS: Mapping[str, FaultKind] = MappingProxyType({"before": FaultKind.KILL_BEFORE, "after": FaultKind.KILL_AFTER})


def read_end_state(stage: Stage, trial: Trial, traded: TradedDay, began: datetime) -> EndState:
    """Read everything that the day left behind.

    Args:
        began: wall-clock time before the day's command.
    """
    kills, account = stage.kills_done(), _account(stage)
    plan = AccountPlan(CASH, opened_by_strategies=trial.opening)
    runs, at = _runs(stage), _opened_at(trial)
    published = tuple(_published(stage))
    subjects = {notice_subject(message, stage.name): message.message_id for message in _news(published)}
    return EndState(
        scenario=Scenario(trial.seed, DayKind.NORMAL, (trial.day,), plan),
        started_at=began,
        ended_at=datetime.now(UTC),
        is_quiet=traded.is_quiet,
        runs=runs,
        days=_days(stage),
        ledger=_ledger(stage),
        opening=AccountView(CASH, dict(trial.opening)),
        account=AccountView(account.cash, {symbol: held.qty for symbol, held in sorted(account.positions.items())}),
        orders=tuple(account.orders.values()),
        fills=tuple(account.fills),
        owner_order_ids=frozenset(),
        mails=tuple(_mails(stage, began, subjects)),
        notices=tuple(_notices(stage, subjects)),
        dead_letters=_dead_letters(stage),
        published=published,
        trade_messages=tuple(chain.from_iterable(_trade_messages(run, at) for run in runs.values())),
        switch=((at, ENABLED),),
        changes=tuple(chain.from_iterable(_changes(run, at) for run in runs.values())),
        adjustments=tuple(account.adjustments),
        gauges=(),
        posts=(),
        attempts=_attempts(kills, published, began),
        kills=(),
        faults=_faults(trial, kills) | _deadlines(stage, began),
        trace=(),
        checks=tuple(BooksChange(at, check) for check in _checks(stage)),
        actions=read_actions(S3Objects(stage.client("s3"), stage.deployment.output("BucketName"))),
    )


def _account(stage: Stage) -> Account:
    """Return the exchange's own account; its file is written before each answer."""
    state = StateFile(stage.settings.directory / "exchange" / "state.json").load()
    assert state is not None
    return state.account


def _opened_at(trial: Trial) -> datetime:
    session = session_on(trial.day)
    assert session is not None, trial.day
    return session.opens


def _runs(stage: Stage) -> Mapping[str, Run]:
    table = stage.deployment.output("RunsTable")
    store = DynamoRunStore(stage.client("dynamodb"), table)
    metas = [row["pk"]["S"] for row in stage.rows(table) if row["sk"]["S"] == META]
    runs = {key.removeprefix("RUN#"): store.load(key.removeprefix("RUN#")) for key in metas if key.startswith("RUN#")}
    return {run_id: run for run_id, run in runs.items() if run is not None}


def _days(stage: Stage) -> Mapping[str, str]:
    rows = stage.rows(stage.deployment.output("RunsTable"))
    return {row["pk"]["S"]: row["run_id"]["S"] for row in rows if row["pk"]["S"].startswith("DAY#")}


def _checks(stage: Stage) -> Iterator[BooksCheck]:
    for row in stage.rows(stage.deployment.output("RunsTable")):
        if row["pk"]["S"] == BOOKS:
            yield BooksCheck.read_json(row["body"]["S"])


def _ledger(stage: Stage) -> tuple[LedgerEntry, ...]:
    table = stage.deployment.output("LedgerTable")
    ledger = DynamoLedger(stage.client("dynamodb"), table)
    symbols = sorted({row["symbol"]["S"] for row in stage.rows(table)})
    return tuple(chain.from_iterable(ledger.entries_of(symbol) for symbol in symbols))


def _changes(run: Run, at: datetime) -> Iterator[RunChange]:
    for step in run.timeline:
        yield RunChange(at, run.run_id, step.state.value)


def _trade_messages(run: Run, at: datetime) -> Iterator[Published]:
    """Yield what the run says it has sent to the trade queue, which keeps no record."""
    for release in releases_of(run):
        for trade_id, quantity in release.quantities.items():
            detail = {"trade_id": trade_id, "quantity": str(quantity)}
            yield Published(at, "trade_aggregator", "TradeRequested", trade_id, run.run_id, detail)


def _published(stage: Stage) -> Iterator[Published]:
    for message in stage.messages().get(BUS_WITNESS, ()):
        event = json.loads(message["Body"])
        detail = event["detail"]
        at = datetime.fromisoformat(event["time"])
        yield Published(at, "", event["detail-type"], detail["message_id"], detail["run_id"], detail)


def _news(published: tuple[Published, ...]) -> Iterator[Any]:
    """Yield the messages that people read about."""
    for message in published:
        unfit = message.detail_type == "DataQualityChecked" and not message.detail["passed"]
        if message.detail_type in NEWS or unfit:
            yield BY_NAME[message.detail_type].read(message.detail)


def notice_subject(message: Any, stage: str) -> str:
    """Return the part of a notice's subject that mail and topic have in common."""
    return _common(mail_subject(message, stage=stage))


def _common(subject: str) -> str:
    """SNS takes subjects in ASCII only, and cuts them."""
    return subject.encode("ascii", "replace").decode("ascii")[:MAX_SNS_SUBJECT_CHARS]


def _mails(stage: Stage, began: datetime, subjects: Mapping[str, str]) -> Iterator[Notice]:
    for mail in stage.cloud.mails(began):
        yield Notice(mail.sent_at, mail.subject, subjects.get(_common(mail.subject), mail.subject), mail.text)


def _notices(stage: Stage, subjects: Mapping[str, str]) -> Iterator[Notice]:
    """Yield the notices of the topic, without those of alarms."""
    for message in stage.messages().get(TOPIC_WITNESS, ()):
        notice = json.loads(message["Body"])
        if "AlarmName" in notice["Message"]:
            continue
        at = datetime.fromisoformat(notice["Timestamp"])
        yield Notice(
            at, notice["Subject"], subjects.get(_common(notice["Subject"]), notice["Subject"]), notice["Message"]
        )


def _dead_letters(stage: Stage) -> Mapping[str, tuple[str, ...]]:
    messages = stage.messages()
    bodies = {
        name: tuple(message["Body"] for message in messages.get(name, ()))
        for name, queue in stage.deployment.queues.items()
        if queue.is_dead_letter
    }
    return {name: letters for name, letters in bodies.items() if letters}


def _attempts(
    kills: tuple[Mapping[str, Any], ...], published: tuple[Published, ...], began: datetime
) -> tuple[Attempt, ...]:
    """Return an attempt at each notice for a killed notifier: any of them may have been on its way."""
    if not any(kill["module"] == NOTIFICATIONS for kill in kills):
        return ()
    now = datetime.now(UTC)
    subjects = {message.message_id for message in _news(published)}
    return tuple(Attempt(began, now, NOTIFICATIONS, "1", subject, 1, "killed") for subject in sorted(subjects))


def _deadlines(stage: Stage, began: datetime) -> dict[str, FaultKind]:
    """Return a fault for each function that was too slow for its time-out, as all are on a busy machine."""
    logs = (stage.cloud.log_of(module, began) for module in stage.deployment.functions)
    slow = [log.module for log in logs if any(TIMED_OUT in failure.text for failure in log.failures)]
    return {f"{module}/deadline": FaultKind.STALL for module in slow}


def _faults(trial: Trial, kills: tuple[Mapping[str, Any], ...]) -> dict[str, FaultKind]:
    """Return the faults that may stop a run. Messages that come again, and a second command, must not."""
    faults = {f"{kill['module']}/{kill['request']}": _KILLS[kill["moment"]] for kill in kills}
    if trial.freeze_at is not None:
        faults["exchange"] = FaultKind.TIMEOUT_BEFORE
    if trial.restart_at is not None:
        faults["emulator"] = FaultKind.STALL
    return faults
