"""`inv watch` gives deployed functions the code of each edit, and a later deployment restores what it replaced."""

import json
import re
import shutil

import pytest

from automation.building import builder, source_copies
from automation.deploying.watching import replaced
from automation.project import model
from automation.project.model import Project
from automation.project.settings import PYPROJECT
from automation.system.errors import CheckFailedError, DeploymentError, Finding, UsageError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.release_tables import LOCK
from tests.automation.watched_shop import WatchedShop, make_watched_shop

SOUND = "def main(event, context):\n    return {number}\n"
BROKEN = "import nothing_there\n\n\ndef main(event, context): ...\n"


@pytest.fixture
def shop(deployments: ShopDeployments) -> WatchedShop:
    return make_watched_shop(deployments)


def test_watch_edit_reaches_its_function_alone(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    before = shop.everything
    capsys.readouterr()

    shop.watch(shop.till(SOUND.format(number=1)))

    after = shop.everything
    assert after["Till"][0] != before["Till"][0]
    assert after == before | {"Till": (after["Till"][0], before["Till"][1])}
    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]
    output = capsys.readouterr().out
    assert "live: http://127.0.0.1:1, eu-west-1; r1 runs 3 function(s)\n" in output
    assert "watching layers/wheels, shop; Ctrl-C ends it\n" in output
    timing = r"\d+ ms \(build \d+, proof \d+, update \d+\)"
    assert re.search(rf"\n[\d:]{{8}}  shop/till/handler.py: Till updated, proven first, {timing}\n", output)
    assert output.endswith(
        "stopped: 1 edit(s) updated functions, 0 refused\n"
        "other code than r1 runs in: Till\n"
        "  deploy the working copy:  inv deploy --env live\n"
        "  go back to r1:  inv rollback --env live --to r1\n"
    )


def test_watch_runs_the_zip_of_the_build(shop: WatchedShop) -> None:
    shop.watch(shop.till(SOUND.format(number=1)))

    running = shop.running("shop-live", "Till")[0]
    shop.deployments.deploy()
    assert shop.deployments.till_code == running


def test_watch_edit_of_the_shared_layer_reaches_everybody_once(shop: WatchedShop) -> None:
    before = shop.everything

    shop.watch(shop.write("shop/common/prices.py", "PRICE = 4\n"))

    after = shop.everything
    calls = shop.deployments.aws.code.calls
    # The layer has another name in each stack; the wheels stay.
    assert calls[:2] == ["publish shop-live-base-Code", "publish shop-live-Code"]
    assert sorted(calls[2:]) == ["mount shop-live-Ledger", "mount shop-live-Till", "mount shop-live-base-Stock"]
    assert {name: digest for name, (digest, _) in after.items()} == {name: entry[0] for name, entry in before.items()}
    assert after["Till"][1] == (after["Ledger"][1][0], before["Till"][1][1])
    assert all(after[name][1] != before[name][1] for name in before)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BROKEN, "undeclared-import: imports nothing_there, which is missing"),
        ("def main(:\n", "import-fails: the import of Till fails: SyntaxError"),
        ("raise RuntimeError('planted')\n", "import-fails: the import of Till fails: RuntimeError: planted"),
        ("def man(event, context): ...\n", "main"),
        ("from shop.common.prices import COST\n\n\ndef main(event, context): ...\n", "COST"),
        (
            "import os\nos.environ['SALES'].x\n\n\ndef main(event, context): ...\n",
            "its import does not succeed here: AttributeError: 'str' object has no attribute 'x'",
        ),
        (
            "import os\n\n\ndef main(event, context): ...\n\n\nraise RuntimeError(os.environ['SALES'])\n",
            "its import does not succeed here: its import needs the value of SALES",
        ),
    ],
)
def test_watch_failed_proof_keeps_the_old_code(
    shop: WatchedShop, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shop.everything

    shop.watch(shop.till(text))

    assert shop.everything == before
    assert shop.deployments.aws.code.calls == []
    output = capsys.readouterr().out
    assert "shop/till/handler.py: refused: Till keeps its old code, " in output
    assert reason in output
    assert "stopped: 0 edit(s) updated functions, 1 refused\nevery function runs the code of r1\n" in output


def test_watch_refused_function_does_not_keep_the_others_from_an_edit(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shop.everything

    shop.watch(shop.till(BROKEN), shop.write("shop/ledger/handler.py", SOUND.format(number=2)))

    after = shop.everything
    assert (after["Till"], after["Ledger"] == before["Ledger"]) == (before["Till"], False)
    assert capsys.readouterr().out.count("refused: Till keeps its old code") == 1


def test_watch_shared_edit_reaches_those_whose_proof_passes(shop: WatchedShop) -> None:
    uses_price = "from shop.common.prices import PRICE\n\n\ndef main(event, context):\n    return PRICE\n"
    before = shop.everything

    shop.watch(shop.till(uses_price), shop.write("shop/common/prices.py", "COST = 4\n"))

    after = shop.everything
    assert after["Till"][1] == before["Till"][1]
    assert after["Ledger"][1] != before["Ledger"][1]


def test_watch_correction_after_a_refusal_is_updated(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.watch(shop.till(BROKEN), shop.till(SOUND.format(number=1)))

    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]
    assert "stopped: 1 edit(s) updated functions, 1 refused" in capsys.readouterr().out


def test_watch_edit_taken_back_leaves_no_trace(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    before, original = shop.everything, "def main(event, context): ...\n"

    shop.watch(
        shop.write("shop/common/prices.py", "PRICE = 4\n"),
        shop.write("shop/common/prices.py", "PRICE = 3\n"),
        shop.till(SOUND.format(number=1)),
        shop.till(original),
    )

    assert shop.everything == before
    assert (shop.is_marked, shop.deployments.aws.code.own) == (False, {})
    assert capsys.readouterr().out.endswith("every function runs the code of r1\n")


def test_watch_begun_again_goes_on_with_its_layers(shop: WatchedShop) -> None:
    shop.watch(shop.write("shop/common/prices.py", "PRICE = 4\n"))
    shop.deployments.aws.code.calls.clear()

    shop.watch(shop.write("shop/till/handler.py", SOUND.format(number=1)))

    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]


def test_watch_begins_with_what_differs_already(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.till(SOUND.format(number=1))()

    shop.watch()

    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]
    assert "without an edit: Till updated" in capsys.readouterr().out


def test_watch_deleted_and_new_files_are_edits(shop: WatchedShop) -> None:
    extra = shop.deployments.root / "shop/till/extra.py"
    digests: list[str] = []

    def note() -> None:
        digests.append(shop.running("shop-live", "Till")[0])

    shop.watch(note, lambda: extra.write_text("X = 1\n"), note, extra.unlink, note)

    assert digests[0] == digests[2] != digests[1]


def test_watch_edit_without_effect_says_so(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.watch(lambda: None, lambda: False)

    lines = [line for line in capsys.readouterr().out.splitlines() if "nothing to update" in line]
    assert len(lines) == 1
    assert "  shop/till/handler.py: nothing to update, " in lines[0]


def test_watch_invokes_what_was_updated(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    aws = shop.deployments.aws
    physical_id = aws.stacks.stacks["shop-live"].physical_ids["Till"]
    aws.functions.requests.clear()

    def break_till() -> None:
        aws.functions.broken[physical_id] = "KeyError: 'x'"
        shop.till(SOUND.format(number=2))()

    def lose_connection() -> None:
        aws.functions.on_call = fail
        shop.till(SOUND.format(number=3))()

    def fail(_name: str, _function: str) -> None:
        raise DeploymentError("does not answer", where="Till")

    shop.watch(shop.till(SOUND.format(number=1)), break_till, lose_connection, invoke=True)

    assert aws.functions.requests == {physical_id: [{"health": True}] * 2}
    answers = [line for line in capsys.readouterr().out.splitlines() if line.startswith("          ")]
    assert answers == [
        "          Till: passed",
        "          Till: failed: KeyError: 'x'",
        "          Till: Till: does not answer",
    ]


def test_watch_mark_comes_before_the_first_update(shop: WatchedShop) -> None:
    table, seen = shop.deployments.aws.table, list[object]()
    shop.deployments.aws.code.on_call = lambda *_: seen.append((table.mark != "", table.lock is not None))

    shop.watch(shop.till(SOUND.format(number=1)))

    assert seen == [(True, True)]
    assert table.lock is None


def test_watch_mark_keeps_the_first_moment(shop: WatchedShop) -> None:
    shop.deployments.aws.table.write_watch_mark({"person": "ben@desk", "since": "2026-01-01"})

    shop.watch(shop.till(SOUND.format(number=1)))

    assert json.loads(shop.deployments.aws.table.mark) == {"person": "ben@desk", "since": "2026-01-01"}


def test_watch_waits_while_somebody_deploys(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    table = shop.deployments.aws.table

    def take_lock() -> None:
        table.lock = LOCK
        shop.till(SOUND.format(number=1))()

    def free_lock() -> bool:
        assert shop.deployments.aws.code.calls == []
        table.lock = None
        return False

    shop.watch(take_lock, free_lock)

    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]
    assert "ann@desk" in capsys.readouterr().out


def test_watch_deployment_meanwhile_is_the_new_release(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    def deploy() -> bool:
        shop.deployments.change_till("# deployed\n")
        shop.deployments.deploy()
        return False

    shop.watch(deploy, shop.till(SOUND.format(number=1)), lambda: False)

    captured = capsys.readouterr()
    assert "live was deployed meanwhile: r2 runs there now" in captured.err
    assert "other code than r2 runs in: Till\n" in captured.out


def test_watch_restoration_meanwhile_is_noticed(shop: WatchedShop) -> None:
    """A rollback to the release that runs changes no stack."""

    def roll_back() -> bool:
        shop.deployments.rollback("r1")
        shop.deployments.aws.code.calls.clear()
        return False

    shop.watch(
        shop.till(SOUND.format(number=1)),
        roll_back,
        shop.write("shop/ledger/handler.py", SOUND.format(number=2)),
        lambda: False,
    )

    assert sorted(shop.deployments.aws.code.calls) == ["replace shop-live-Ledger", "replace shop-live-Till"]
    assert shop.is_marked


def test_watch_file_that_vanishes_in_between_is_tried_again(
    shop: WatchedShop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sync, failures = source_copies.sync, [FileNotFoundError(2, "No such file", "shop/till/gone.py")] * 2

    def fail(project: Project) -> object:
        if failures:
            raise failures.pop()
        return sync(project)

    def begin_to_fail() -> None:
        monkeypatch.setattr(source_copies, "sync", fail)
        shop.till(SOUND.format(number=1))()

    shop.watch(begin_to_fail, lambda: False, lambda: False)

    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]
    assert capsys.readouterr().out.count("shop/till/gone.py: No such file; it is tried again") == 1


def test_watch_changed_template_is_named(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    def rename_handler() -> bool:
        shop.deployments.edit("app.yaml", "shop.till.handler.main", "shop.till.handler.other")
        return False

    shop.watch(rename_handler, shop.till("def other(event, context): ...\n"))

    assert shop.deployments.aws.code.calls == []
    errors = " ".join(capsys.readouterr().err.split())
    assert "app.yaml changed: inv watch updates only the code" in errors
    assert "Till is not updated: what is deployed has another Handler than the template" in errors
    assert len(shop.folders) == 2


def test_watch_changed_requirements_are_not_updated(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write("layers/wheels/added.py", "X = 1\n")()

    shop.watch(shop.till(SOUND.format(number=1)))

    assert shop.deployments.aws.code.calls == []
    assert "Till is not updated: the requirements of Wheels differ from what is deployed" in capsys.readouterr().err


def test_watch_folder_that_was_made_anew_is_watched_again(shop: WatchedShop) -> None:
    root = shop.deployments.root

    def replace_folder() -> bool:
        (root / "shop").rename(root / "old")
        shutil.copytree(root / "old", root / "shop")
        return False

    shop.watch(replace_folder, shop.till(SOUND.format(number=1)))

    assert shop.folders == [("layers/wheels", "shop")] * 2
    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]


def test_watch_project_that_cannot_be_built_says_why(shop: WatchedShop, capsys: pytest.CaptureFixture[str]) -> None:
    root = shop.deployments.root

    shop.watch(
        lambda: (root / "shop/till").rename(root / "away"),
        lambda: False,
        lambda: (root / "away").rename(root / "shop/till"),
        shop.till(SOUND.format(number=1)),
    )

    output = capsys.readouterr().out
    assert "nothing was updated: app stack: Till: Handler shop.till.handler.main: there is no folder" in output
    assert shop.deployments.aws.code.calls == ["replace shop-live-Till"]


def test_watch_environment_with_a_word_is_refused(deployments: ShopDeployments) -> None:
    deployments.deploy()

    with pytest.raises(UsageError, match='live has consent = "word"; type inv deploy --env live'):
        WatchedShop(deployments).watch()


def test_watch_without_a_deployment_is_refused(deployments: ShopDeployments) -> None:
    deployments.edit(PYPROJECT, 'consent = "word"', 'consent = "confirm"')

    with pytest.raises(CheckFailedError) as caught:
        WatchedShop(deployments).watch()

    fix = "inv deploy --env live first"
    names = ("shop-live-base", "shop-live")
    assert caught.value.findings == tuple(Finding(name, "the stack is not deployed", fix) for name in names)


def test_watch_invoke_without_a_message_is_refused(shop: WatchedShop) -> None:
    shop.deployments.edit(PYPROJECT, "smoke = {health = true}", "")

    with pytest.raises(UsageError, match="--invoke sends the message `smoke`"):
        shop.watch(invoke=True)


def test_watch_leaves_the_build_as_inv_build_makes_it(shop: WatchedShop) -> None:
    shop.watch(shop.till(SOUND.format(number=1)))

    assert builder.build(model.load(shop.deployments.root)).rebuilt == ()
    assert replaced.description("live") == "inv watch --env live: not part of a release"
