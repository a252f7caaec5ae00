"""Dead letters are deleted once they are saved, and only if that is confirmed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automation.operating import saved_letters
from automation.system.errors import DeploymentError
from tests.automation.dead_letter_shop import NOW, DeadLetterShop, Printed
from tests.automation.deploying.changing_stacks import Person
from tests.automation.projects import make_shop


@pytest.fixture
def shop(tmp_path: Path) -> DeadLetterShop:
    return DeadLetterShop(make_shop(tmp_path))


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return a function that returns what was printed since the last time, with single spaces."""
    return lambda: [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_drop_saves_before_it_deletes(shop: DeadLetterShop, printed: Printed) -> None:
    shop.queues.failing = {"delete": 2}
    path = shop.root / saved_letters.path_of("Dead", "live", NOW)

    with pytest.raises(DeploymentError, match="delete was refused"):
        shop.drop()

    assert [entry.body for entry in saved_letters.read(path)] == ['{"order": 1}', '{"refund": 2}']
    assert shop.queues.bodies("dead") == ['{"refund": 2}']


def test_drop_prints_what_it_did_and_how_to_undo_it(shop: DeadLetterShop, printed: Printed) -> None:
    shop.drop("Dead", "m-2")

    file = ".alchemiser/dropped/live-Dead-20260102T170000000000Z.jsonl"
    assert shop.queues.bodies("dead") == ['{"order": 1}']
    assert printed() == [
        "message m-2: sent 2026-01-02 15:02:00 UTC, received 4 times",
        *("{", '"refund": 2', "}"),
        f"saved 1 message to {file}",
        "deleted 1 message from Dead",
        f"send them again: inv dlq.redrive Dead --file {file} --env live",
    ]


def test_drop_asks_with_the_word_of_the_environment(shop: DeadLetterShop, person: Person) -> None:
    person.answers = ["live"]

    shop.drop(yes=False)

    assert person.questions == ["Type live to delete 2 messages from Dead in live:"]
    assert shop.dead() == []


def test_drop_empty_queue_says_so_and_saves_nothing(shop: DeadLetterShop, printed: Printed) -> None:
    shop.drop("LineDead")

    assert printed() == ["nothing to drop: LineDead has no messages"]
    assert not (shop.root / saved_letters.FOLDER).exists()
