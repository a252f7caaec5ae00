from pathlib import Path

import pytest

from automation import new_function, remove_function
from automation.authoring.function_plans import Options
from automation.authoring.function_removals import Consumed
from automation.proof.registry import Route
from automation.system import git
from automation.system.errors import UsageError
from tests.automation import repositories
from tests.automation.authoring import shops
from tests.automation.projects import write_files
from tests.automation.test_new_function import pass_lint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    repositories.commit_all(tmp_path)
    new_function.create(tmp_path, "risk_check", Options(trigger="schedule"), lint=pass_lint)
    return tmp_path


def test_remove_leaves_a_clean_work_tree(root: Path) -> None:
    write_files(root, {"functions/risk_check/handler.py": "", "shop/risk_check/__pycache__/x.pyc": ""})
    (root / ".git/info/exclude").write_text("functions/\n__pycache__/\n.alchemiser/\n")

    remove_function.remove(root, "risk_check", yes=False)

    assert not git.is_dirty(root)
    assert not (root / "functions/risk_check").exists()
    assert not (root / "shop/risk_check").exists()


def test_remove_refuses_to_lose_work_that_no_commit_has(root: Path) -> None:
    write_files(root, {"shop/risk_check/handler.py": "mine\n", "shop/risk_check/more.py": "mine too\n"})
    before = shops.snapshot(root)

    with pytest.raises(UsageError) as raised:
        remove_function.remove(root, "risk_check", yes=False)

    assert str(raised.value) == (
        "shop/risk_check/handler.py and 1 more would be lost: no commit has its text; "
        "commit it, or type inv remove-function risk_check --yes"
    )
    assert shops.snapshot(root) == before


def test_remove_of_one_changed_file_names_only_it(root: Path) -> None:
    write_files(root, {"shop/risk_check/handler.py": "mine\n"})

    with pytest.raises(UsageError, match=r"^shop/risk_check/handler\.py would be lost"):
        remove_function.remove(root, "risk_check", yes=False)


def test_remove_with_consent_removes_changed_files_too(root: Path) -> None:
    write_files(root, {"shop/risk_check/handler.py": "mine\n"})

    remove_function.remove(root, "risk_check", yes=True)

    assert not (root / "shop/risk_check").exists()


def test_remove_of_committed_work_needs_no_consent(root: Path) -> None:
    write_files(root, {"shop/risk_check/handler.py": "mine\n"})
    repositories.commit(root)

    remove_function.remove(root, "risk_check", yes=False)

    assert not (root / "shop/risk_check").exists()


def test_remove_without_a_name_says_what_to_type(root: Path) -> None:
    with pytest.raises(UsageError, match="a name is missing; type, for example, inv remove-function risk_check"):
        remove_function.remove(root, "", yes=False)


def test_consumed_by_knows_whose_message_it_is() -> None:
    routes = (
        Route("Asked", "shop", (), ("risk_check",), queued=False),
        Route("Placed", "shop", (), ("orders", "risk_check"), queued=False),
        Route("Sent", "shop", ("orders",), ("RiskCheckFunction",), queued=False),
        Route("Other", "shop", (), ("orders",), queued=False),
    )

    consumed = remove_function.consumed_by(frozenset({"risk_check", "RiskCheckFunction"}), routes)

    assert consumed == (
        Consumed("Asked", is_its_own=True),
        Consumed("Placed", is_its_own=False),
        Consumed("Sent", is_its_own=False),
    )


def test_show_names_what_the_next_deployment_deletes_and_keeps(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(root, {"README.md": "see risk_check\nand risk_checks\n"})
    repositories.git(root, "add", "README.md")

    remove_function.show(root, remove_function.remove(root, "RiskCheckFunction", yes=False))

    assert capsys.readouterr().out.splitlines() == [
        "RiskCheckFunction was removed from the stack main",
        "  edited list.md",
        "  removed shop/risk_check/handler.py",
        "  removed shop/risk_check/night.py",
        "  edited template.yaml",
        "the next deployment of main deletes: RiskCheckFunction, RiskCheckSchedule",
        "it leaves in the account, without a stack: RiskCheckQueue",
        "1 line(s) still name it:",
        "  README.md:1:see risk_check",
        "next: inv sync build prove, then inv diff",
    ]


def test_show_counts_a_module_that_is_a_plain_word_in_quotes_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    write_files(tmp_path, {"notes.md": "all orders\n`orders`\n\"orders\"\n'orders'\nOrdersFunction\n"})
    repositories.commit_all(tmp_path)

    remove_function.show(tmp_path, remove_function.remove(tmp_path, "orders", yes=True))

    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if "notes.md" in line]
    assert lines == ["notes.md:2:`orders`", 'notes.md:3:"orders"', "notes.md:4:'orders'", "notes.md:5:OrdersFunction"]
