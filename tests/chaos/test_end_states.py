"""What is read of a deployed day: whose notice it is, what may have stopped a run, what a killed notifier excuses."""

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

from sandbox.exchange.sessions import session_on
from tests.chaos.drawing import Trial
from tests.chaos.end_states import (
    _attempts,
    _changes,
    _deadlines,
    _faults,
    _news,
    _notices,
    _opened_at,
    _trade_messages,
    notice_subject,
)
from tests.chaos.stage import TOPIC_WITNESS
from tests.simulation.end_state import Published
from tests.simulation.healthy import BEGAN, BUY, RUN, SELL, run
from tests.simulation.scenario import FaultKind
from the_alchemiser.shared.messaging.messages import RunRefused, message_id
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import RunState

DAY = date(2022, 3, 16)
REFUSED = RunRefused(
    message_id=message_id(RUN, RunRefused),
    run_id=RUN,
    occurred_at=BEGAN,
    trading_date=DAY,
    reason="market_closed",
    detail="closed — until tomorrow",
)


def published(kind: str, **detail: Any) -> Published:
    return Published(BEGAN, "", kind, f"{RUN}/{kind}/x", RUN, detail)


def refusal() -> Published:
    """Return a message that people read about."""
    return Published(BEGAN, "", "RunRefused", REFUSED.message_id, RUN, REFUSED.to_content())


def kill(module: str, moment: str = "before") -> dict[str, Any]:
    return {"module": module, "moment": moment, "request": "POST /"}


def test_news_are_what_people_read_about() -> None:
    messages = (published("StrategyRequested"), published("DataQualityChecked", passed=True), refusal())

    assert list(_news(messages)) == [REFUSED]


def test_notice_subject_is_the_same_in_mail_and_topic() -> None:
    subject = notice_subject(REFUSED, "local")

    assert subject.startswith("[local] 2022-03-16: run REFUSED")
    assert subject.isascii()


def test_notices_leave_out_those_of_alarms() -> None:
    texts = {"ALARM: x": '{"AlarmName": 1}', "about a run": "text"}
    at = "2022-03-16T20:00:00.000Z"
    bodies = [json.dumps({"Timestamp": at, "Subject": subject, "Message": text}) for subject, text in texts.items()]
    stage: Any = SimpleNamespace(messages=lambda: {TOPIC_WITNESS: [{"Body": text} for text in bodies]})

    notices = list(_notices(stage, {"about a run": "id"}))

    assert [(notice.subject, notice.message_id, notice.text) for notice in notices] == [("about a run", "id", "text")]


def test_killed_notifier_excuses_a_second_notice_of_each_message() -> None:
    attempts = _attempts((kill("notifications_v2"),), (refusal(),), BEGAN)

    assert [(attempt.subject, attempt.result, attempt.at) for attempt in attempts] == [
        (REFUSED.message_id, "killed", BEGAN)
    ]
    assert _attempts((kill("execution_v2"),), (refusal(),), BEGAN) == ()


def test_faults_are_what_may_stop_a_run() -> None:
    trial = Trial(1, DAY, freeze_at=1, restart_at=2, second_at=3)

    assert _faults(trial, (kill("a"), kill("b", "after"))) == {
        "a/POST /": FaultKind.KILL_BEFORE,
        "b/POST /": FaultKind.KILL_AFTER,
        "exchange": FaultKind.TIMEOUT_BEFORE,
        "emulator": FaultKind.STALL,
    }
    assert _faults(Trial(1, DAY, second_at=3), ()) == {}


def test_deadlines_name_the_functions_that_were_too_slow() -> None:
    texts = {"a": "Task timed out after 12.00 seconds", "b": "will be tried again"}
    logs = {name: SimpleNamespace(module=name, failures=[SimpleNamespace(text=text)]) for name, text in texts.items()}
    stage: Any = SimpleNamespace(
        cloud=SimpleNamespace(log_of=lambda module, _: logs[module]), deployment=SimpleNamespace(functions=texts)
    )

    assert _deadlines(stage, BEGAN) == {"a/deadline": FaultKind.STALL}


def test_changes_carry_the_exchanges_time() -> None:
    session = session_on(DAY)
    assert session is not None

    assert _opened_at(Trial(1, DAY)) == session.opens
    assert {change.at for change in _changes(run(), session.opens)} <= {session.opens}


def test_trade_messages_are_the_released_trades() -> None:
    release = Release.read({"quantities": {SELL: "10", BUY: "5"}, "refused": {}})
    released = run(payloads={RunState.SELLING: release.to_content()})

    messages = list(_trade_messages(released, BEGAN))

    assert [(message.detail["trade_id"], message.detail["quantity"]) for message in messages] == [
        (SELL, "10"),
        (BUY, "5"),
    ]
