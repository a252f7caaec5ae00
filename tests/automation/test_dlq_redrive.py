"""Dead letters are sent back once; nothing is lost or doubled on the way."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.operating import saved_letters
from automation.system import console
from automation.system.errors import CheckFailedError, DeploymentError, UsageError
from tests.automation.dead_letter_shop import NOW, DeadLetterShop, Printed
from tests.automation.deploying.changing_stacks import Person
from tests.automation.fake_queues import message, url_of
from tests.automation.projects import make_shop
from tests.automation.terminals import END_OF_INPUT, open_terminal


@pytest.fixture
def shop(tmp_path: Path) -> DeadLetterShop:
    return DeadLetterShop(make_shop(tmp_path))


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return a function that returns what was printed since the last time, with single spaces."""
    return lambda: [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_redrive_moves_each_message_to_its_queue(shop: DeadLetterShop, printed: Printed) -> None:
    shop.redrive()

    assert (shop.queues.bodies("in"), shop.queues.bodies("dead")) == (['{"order": 1}', '{"refund": 2}'], [])
    assert printed() == [
        "message sent to",
        "m-1 2026-01-02 15:01:00 In",
        "m-2 2026-01-02 15:02:00 In",
        "sent m-1 to In",
        "sent m-2 to In",
        "sent 2 messages",
        "see what becomes of them: inv logs --follow --env live; then inv dlq.list --env live",
    ]


def test_redrive_once_more_has_nothing_to_do(shop: DeadLetterShop, printed: Printed) -> None:
    shop.redrive()
    printed()

    shop.redrive()

    assert printed() == ["nothing to redrive: Dead has no messages"]
    assert len(shop.queues.bodies("in")) == 2


def test_redrive_one_message_leaves_the_others(shop: DeadLetterShop) -> None:
    shop.redrive("Dead", "m-2")

    assert (shop.queues.bodies("in"), shop.queues.bodies("dead")) == (['{"refund": 2}'], ['{"order": 1}'])
    assert shop.queues.queues[url_of("dead")].hidden == {}


def test_redrive_one_message_once_more_says_that_it_is_gone(shop: DeadLetterShop, printed: Printed) -> None:
    shop.redrive("Dead", "m-2")
    printed()

    shop.redrive("Dead", "m-2", "m-2")

    assert printed() == [
        "m-2 is not in Dead: it was moved or deleted, or somebody has received it",
        "nothing to redrive: Dead has no such messages",
    ]
    assert shop.queues.bodies("in") == ['{"refund": 2}']


def test_redrive_messages_that_somebody_has_received_says_so(shop: DeadLetterShop, printed: Printed) -> None:
    shop.queues.receive(url_of("dead"), hidden_s=60)

    shop.redrive()

    assert printed() == ["nothing to redrive now: somebody has received 2 messages of Dead; try again in a minute"]


def test_redrive_sends_before_it_deletes(shop: DeadLetterShop) -> None:
    shop.redrive("Dead", "m-1")

    assert [call for call in shop.queues.calls if call[0] in {"send", "delete"}] == [("send", "m-1"), ("delete", "m-1")]


@pytest.mark.parametrize(("call", "in_both"), [("send", False), ("delete", True)])
def test_redrive_that_fails_loses_nothing(shop: DeadLetterShop, call: str, in_both: bool) -> None:
    shop.queues.failing = {call: 2}

    with pytest.raises(DeploymentError, match=f"{call} was refused"):
        shop.redrive()

    assert shop.queues.bodies("dead") == ['{"refund": 2}']
    assert shop.queues.bodies("in") == ['{"order": 1}', *(['{"refund": 2}'] if in_both else [])]
    assert shop.queues.queues[url_of("dead")].hidden == {}


def test_redrive_of_a_fifo_queue_that_failed_doubles_nothing(shop: DeadLetterShop) -> None:
    shop.queues.add("linedead.fifo", message("t-1", "trade", group="g", deduplication="trade-1"))
    shop.queues.failing = {"delete": 1}
    with pytest.raises(DeploymentError):
        shop.redrive("LineDead")

    shop.redrive("LineDead")

    assert shop.queues.bodies("line.fifo") == ["trade"]
    assert shop.queues.bodies("linedead.fifo") == []


def test_redrive_of_a_fifo_message_that_came_back_is_not_dropped_as_known(shop: DeadLetterShop) -> None:
    shop.queues.add("linedead.fifo", message("t-1", "trade", group="g", deduplication="trade-1"))
    shop.redrive("LineDead")
    [sent] = shop.queues.queues[url_of("line.fifo")].messages
    shop.queues.add("linedead.fifo", sent)
    shop.queues.queues[url_of("line.fifo")].messages.clear()

    shop.redrive("LineDead")

    [again] = shop.queues.queues[url_of("line.fifo")].messages
    assert (sent.deduplication, again.deduplication) == ("trade-1#1", "trade-1#2")
    assert (again.body, again.group) == ("trade", "g")


def test_redrive_to_another_fifo_queue_keeps_the_order(shop: DeadLetterShop) -> None:
    trades = [
        message(f"t-{number}", str(number), minute=number, group="g", deduplication=f"d-{number}")
        for number in (1, 2, 3)
    ]
    shop.queues.add("linedead.fifo", *trades)

    shop.redrive("LineDead")

    assert shop.queues.bodies("line.fifo") == ["1", "2", "3"]
    sent = shop.queues.queues[url_of("line.fifo")].messages
    assert [(entry.group, entry.deduplication) for entry in sent] == [("g", f"d-{number}#1") for number in "123"]


def test_redrive_of_a_long_fifo_queue_asks_to_run_again(shop: DeadLetterShop, printed: Printed) -> None:
    trades = [message(f"t-{number:02}", str(number), minute=number, group="g") for number in range(11)]
    shop.queues.add("linedead.fifo", *trades)
    note = "LineDead hands out the first ten messages of a group only; run the command again for the others"

    shop.redrive("LineDead", "t-00")
    assert note not in printed()
    shop.queues.add("linedead.fifo", *trades)
    shop.redrive("LineDead")

    assert note in printed()
    assert shop.queues.bodies("linedead.fifo") == ["10"]


def test_redrive_to_a_named_queue_sends_there(shop: DeadLetterShop) -> None:
    shop.redrive("Dead", to="Line")

    assert shop.queues.bodies("line.fifo") == ['{"order": 1}', '{"refund": 2}']


def test_redrive_to_an_unknown_queue_is_refused(shop: DeadLetterShop) -> None:
    with pytest.raises(UsageError, match=r"^dlq\.redrive --to: live has no queue 'Lin'; did you mean Line\?"):
        shop.redrive("Dead", to="Lin")


def answer_with(answer: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody at the terminal do something before the answer."""
    monkeypatch.setattr(console, "is_interactive", lambda: True)
    monkeypatch.setattr(console, "ask", answer)


def test_redrive_messages_that_arrive_after_the_question_stay(
    shop: DeadLetterShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(question: str) -> str:
        assert question == "Type live to send 2 messages in live:"
        shop.dead().append(message("m-3", "new"))
        return "live"

    answer_with(answer, monkeypatch)

    shop.redrive(yes=False)

    assert shop.queues.bodies("dead") == ["new"]
    assert len(shop.queues.bodies("in")) == 2


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_change_on_a_terminal_is_confirmed_with_the_typed_word(shop: DeadLetterShop, command: str) -> None:
    with open_terminal("live\n") as shown:
        getattr(shop, command)(yes=False)

    assert re.search("Type live to (send|delete) 2 messages (from Dead )?in live: ", "".join(shown))
    assert shop.dead() == []


@pytest.mark.parametrize("typed", ["y\n", "Live\n", "\n", END_OF_INPUT])
def test_change_on_a_terminal_needs_exactly_the_word(shop: DeadLetterShop, typed: str) -> None:
    with (
        open_terminal(typed),
        pytest.raises(UsageError, match=r"cancelled: nothing was changed \(type live to confirm\)"),
    ):
        shop.redrive(yes=False)

    assert (len(shop.dead()), shop.queues.bodies("in")) == (2, [])


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_change_that_is_not_confirmed_changes_nothing(shop: DeadLetterShop, person: Person, command: str) -> None:
    person.answers = ["yes"]

    with pytest.raises(UsageError, match=r"cancelled: nothing was changed \(type live to confirm\)"):
        getattr(shop, command)(yes=False)

    assert (len(shop.dead()), shop.queues.bodies("in")) == (2, [])
    assert not (shop.root / saved_letters.FOLDER).exists()
    assert shop.queues.queues[url_of("dead")].hidden == {}


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_change_without_a_terminal_is_refused_before_any_call(shop: DeadLetterShop, command: str) -> None:
    with pytest.raises(UsageError, match=rf"^dlq\.{command} --env live: must be confirmed, and there is no terminal"):
        getattr(shop, command)(yes=False)

    assert shop.queues.calls == []


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_change_in_another_account_is_refused(shop: DeadLetterShop, command: str) -> None:
    shop.account = "999999999999"

    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials; nothing was changed"):
        getattr(shop, command)()
    assert shop.queues.calls == []


def test_redrive_taken_by_somebody_else_meanwhile_says_so(
    shop: DeadLetterShop, monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    def answer(_: str) -> str:
        shop.queues.receive(url_of("dead"), hidden_s=60)
        return "live"

    answer_with(answer, monkeypatch)

    shop.redrive(yes=False)

    assert "2 messages could not be received again; somebody else may have taken them" in printed()


def test_redrive_of_a_file_sends_what_was_dropped(shop: DeadLetterShop, printed: Printed) -> None:
    shop.drop()
    path = shop.root / saved_letters.path_of("Dead", "live", NOW)
    printed()

    shop.redrive(file=str(path))

    assert shop.queues.bodies("in") == ['{"order": 1}', '{"refund": 2}']
    assert printed()[-2] == "sent 2 messages"


def test_redrive_of_a_file_takes_only_the_named_messages(shop: DeadLetterShop) -> None:
    shop.drop()
    path = shop.root / saved_letters.path_of("Dead", "live", NOW)

    shop.redrive("Dead", "m-2", file=str(path))

    assert shop.queues.bodies("in") == ['{"refund": 2}']


def test_redrive_of_a_file_leaves_the_queue_alone(shop: DeadLetterShop) -> None:
    path = shop.root / "saved"
    saved_letters.save([message("old", "old")], path)

    shop.redrive(file=str(path))

    assert (shop.queues.bodies("in"), len(shop.dead())) == (["old"], 2)


def test_interrupted_redrive_says_what_is_left(shop: DeadLetterShop, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shop.queues, "delete", interrupt)

    with pytest.raises(
        Exception, match=r"interrupted; what is not listed as sent is still in Dead; run the command again"
    ):
        shop.redrive()
    assert shop.queues.queues[url_of("dead")].hidden == {}
