import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation import affected
from automation.building import artifacts, source_copies
from automation.project import model
from automation.reach.model import Affected, Effect, Redeployment, ResourceKind
from tests.automation.projects import write_files
from tests.automation.repositories import append, commit, make_plain_repository, make_shop_repository

CODE = frozenset({("base", "Code"), ("app", "Code")})
TILL = frozenset({("app", "Till")})

type Edit = Callable[[Path], object]


def redeployment_of(report: Affected, name: str) -> Redeployment:
    return next(redeployment for redeployment in report.redeployments if redeployment.name == name)


def appended(path: str, text: str = "# changed\n") -> Edit:
    return lambda root: append(root, path, text)


def replaced(path: str, old: str, new: str) -> Edit:
    def edit(root: Path) -> None:
        (root / path).write_text((root / path).read_text().replace(old, new))

    return edit


def written(path: str, text: str = "X = 1\n") -> Edit:
    return lambda root: write_files(root, {path: text})


def removed(path: str) -> Edit:
    return lambda root: (root / path).unlink(missing_ok=True)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop_repository(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make_plain_repository(tmp_path)


def fingerprints(root: Path) -> dict[tuple[str, str], str]:
    """Return the fingerprints that a build of the folder itself computes."""
    loaded = model.load(root)
    source_copies.sync(loaded)
    by_artifact = {}
    for stack in loaded.stacks:
        for artifact in artifacts.of_stack(stack, root):
            by_artifact[artifact.stack, artifact.logical_id] = artifacts.ingredients(artifact).fingerprint
    return by_artifact


EDITS: dict[str, Edit] = {
    "module": appended("shop/till/handler.py"),
    "shared module": appended("shop/common/prices.py"),
    "data": appended("shop/common/data/rates.json", " "),
    "new module": written("shop/stock/shelf.py"),
    "removed module": removed("shop/till/receipt.py"),
    "renamed module": lambda root: (root / "shop/common/tax.py").rename(root / "shop/common/duty.py"),
    "mode": lambda root: (root / "shop/ledger/handler.py").chmod(0o755),
    "lock": appended("layers/wheels/requirements.txt", "idna==3.10 --hash=sha256:00\n"),
    "comment in a lock": appended("layers/wheels/requirements.txt", "# why\n"),
    "request": appended("layers/wheels/requirements.in", "idna\n"),
    "architecture": replaced("base.yaml", "Default: x86_64", "Default: arm64"),
    "runtime": replaced("app.yaml", "Runtime: python3.12", "Runtime: python3.11"),
    "timeout": replaced("app.yaml", "Timeout: 30", "Timeout: 31"),
    "documents": appended("docs/guide.md"),
    "settings": appended("pyproject.toml", "\n# more\n"),
}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=st.sets(st.sampled_from(sorted(EDITS)), min_size=1, max_size=3))
def test_find_any_edits_rebuild_artifacts_with_new_fingerprints(edits: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = make_shop_repository(Path(folder))
        before = fingerprints(root)
        for edit in sorted(edits):
            EDITS[edit](root)

        rebuilt = affected.find(root).rebuilt

        after = fingerprints(root)
        assert rebuilt == {key for key in after if before.get(key) != after[key]}


def test_find_nothing_changed_is_empty(shop: Path) -> None:
    report = affected.find(shop)

    assert (report.changes, report.redeployments, report.stacks) == ((), (), ())


def test_find_function_module_shows_the_chain_from_its_handler(shop: Path) -> None:
    append(shop, "shop/till/receipt.py")

    till = redeployment_of(affected.find(shop), "Till")

    assert till.reason == "Till ← shop/till/handler.py ← shop/till/receipt.py"


def test_find_function_module_redeploys_only_its_stack(shop: Path) -> None:
    append(shop, "shop/till/receipt.py")

    report = affected.find(shop)

    assert (report.stacks, report.rebuilt) == (("app",), TILL)


def test_find_shared_module_rebuilds_the_layer_in_every_stack(shop: Path) -> None:
    append(shop, "shop/common/tax.py")

    report = affected.find(shop)

    assert (report.stacks, report.rebuilt) == (("base", "app"), CODE)


def test_find_shared_module_marks_its_importers(shop: Path) -> None:
    append(shop, "shop/common/tax.py")

    report = affected.find(shop)

    assert {function.name: function.is_importer for function in report.of_kind(ResourceKind.FUNCTION)} == {
        "Stock": False,
        "Till": True,
        "Ledger": False,
    }


def test_find_shared_module_shows_the_chain_of_an_importer(shop: Path) -> None:
    append(shop, "shop/common/tax.py")

    till = redeployment_of(affected.find(shop), "Till")

    assert till.chain == ("shop/till/handler.py", "shop/till/receipt.py", "shop/common/tax.py")


def test_find_removed_module_shows_its_former_chain(shop: Path) -> None:
    removed("shop/till/receipt.py")(shop)

    till = redeployment_of(affected.find(shop), "Till")

    assert till.chain == ("shop/till/handler.py", "shop/till/receipt.py")


def test_find_lock_chain_is_layer_and_lock(shop: Path) -> None:
    append(shop, "layers/wheels/requirements.txt", "idna==3.10 --hash=sha256:00\n")

    till = redeployment_of(affected.find(shop), "Till")

    assert (till.reason, till.effect, till.is_importer) == (
        "Till ← Wheels ← layers/wheels/requirements.txt",
        Effect.LAYER,
        True,
    )


def test_find_documents_redeploy_nothing(shop: Path) -> None:
    append(shop, "docs/guide.md")

    report = affected.find(shop)

    assert (report.redeployments, report.stacks, report.unreached) == ((), (), ("docs/guide.md",))


def test_find_globals_of_a_template_configure_each_function(shop: Path) -> None:
    replaced("app.yaml", "Timeout: 30", "Timeout: 31")(shop)

    report = affected.find(shop)

    assert [(function.name, function.effect, function.why) for function in report.redeployments] == [
        ("Till", Effect.CONFIGURED, "Timeout: 30 -> 31"),
        ("Ledger", Effect.CONFIGURED, "Timeout: 30 -> 31"),
    ]


def test_find_reformatted_template_redeploys_nothing(shop: Path) -> None:
    replaced("app.yaml", "!Ref Code", "{Ref: Code}")(shop)

    report = affected.find(shop)

    assert (report.redeployments, report.unreached) == ((), ("app.yaml",))


def test_find_budget_redeploys_nothing(shop: Path) -> None:
    replaced("app.yaml", "BudgetMB: 0.25", "BudgetMB: 0.5")(shop)

    assert affected.find(shop).redeployments == ()


def test_find_parameter_names_its_environment(shop: Path) -> None:
    replaced(
        "app.yaml", "Handler: shop.ledger.handler.main}", "Handler: shop.ledger.handler.main, Description: !Ref Colour}"
    )(shop)
    commit(shop)
    replaced("samconfig.toml", "Colour=red", "Colour=blue")(shop)

    report = affected.find(shop)

    assert [redeployment.reason for redeployment in report.redeployments] == ["Description: red -> blue (in here)"]


def test_find_new_function_is_new_and_built(shop: Path) -> None:
    addition = """
  Fresh:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/fresh/, Handler: shop.fresh.handler.main}
"""
    append(shop, "app.yaml", addition)
    written("shop/fresh/handler.py", "def main(event, context): ...\n")(shop)

    fresh = redeployment_of(affected.find(shop), "Fresh")

    assert (fresh.effect, fresh.is_rebuilt) == (Effect.ADDED, True)


def test_find_removed_function_redeploys_its_stack(plain: Path) -> None:
    text = (plain / "template.yaml").read_text()
    start, end = text.index("  Bye:"), text.index("  Flow:")
    (plain / "template.yaml").write_text(text[:start] + text[end:])

    report = affected.find(plain)

    assert (
        [(resource.name, resource.kind, resource.effect) for resource in report.redeployments],
        report.stacks,
    ) == (
        [("Bye", ResourceKind.FUNCTION, Effect.REMOVED)],
        ("main",),
    )


def test_find_newer_builder_rebuilds_everything(shop: Path) -> None:
    written("automation/building/artifacts.py", 'BUILDER = "1"\n')(shop)
    commit(shop)
    written("automation/building/artifacts.py", 'BUILDER = "2"\n')(shop)

    report = affected.find(shop)

    assert {rebuilt.why for rebuilt in report.redeployments if rebuilt.is_rebuilt} == {"builder: 1 -> 2"}


def test_find_follows_imports_into_an_unbuilt_layer(plain: Path) -> None:
    append(plain, "common/python/money/round.py")

    report = affected.find(plain)

    assert {redeployment.name: redeployment.reason for redeployment in report.redeployments} == {
        "Common": "Common ← common/python/money/round.py",
        "Hello": "Hello ← hello-world/app.py ← hello-world/lib/greet.py ← common/python/money/round.py",
        "Bye": "Bye ← Common ← common/python/money/round.py",
    }


def test_find_handler_with_a_slash_is_followed(plain: Path) -> None:
    append(plain, "common/python/clock.py")

    assert redeployment_of(affected.find(plain), "Bye").chain == ("bye/src/app.py", "common/python/clock.py")


def test_find_unimported_module_rebuilds_its_function(plain: Path) -> None:
    append(plain, "hello-world/lib/unused.py")

    hello = redeployment_of(affected.find(plain), "Hello")

    assert (hello.is_rebuilt, hello.chain) == (True, ("hello-world/lib/unused.py",))


def test_find_file_that_a_resource_names_redeploys_it(plain: Path) -> None:
    append(plain, "flow.asl.json")

    report = affected.find(plain)

    assert [(resource.name, resource.reason) for resource in report.redeployments] == [
        ("Flow", "flow.asl.json changed")
    ]


def test_find_module_that_cannot_be_parsed_counts_every_importer(plain: Path) -> None:
    append(plain, "common/python/clock.py", "def (\n")

    report = affected.find(plain)

    assert all(function.is_importer for function in report.of_kind(ResourceKind.FUNCTION))


def test_as_json_contains_effect_and_chain(shop: Path) -> None:
    append(shop, "shop/till/receipt.py")

    document = affected.as_json(affected.find(shop))

    assert document["functions"] == [
        {
            "stack": "app",
            "name": "Till",
            "effect": "rebuilt",
            "rebuilt": True,
            "imports_the_change": True,
            "chain": ["shop/till/handler.py", "shop/till/receipt.py"],
            "why": "",
            "reason": "Till ← shop/till/handler.py ← shop/till/receipt.py",
        }
    ]


def test_show_prints_what_to_deploy(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    append(shop, "shop/till/receipt.py")
    append(shop, "docs/guide.md")

    affected.show(affected.find(shop))

    assert capsys.readouterr().out.splitlines()[-2:] == [
        "changed files that affect nothing deployed: docs/guide.md",
        "2 file(s) changed since HEAD; 1 artifact(s) to build; stacks to deploy again: app",
    ]


def test_select_tests_importer_of_a_change_is_selected(shop: Path) -> None:
    write_files(
        shop,
        {
            "tests/test_receipt.py": "from shop.till import receipt\n",
            "tests/test_ledger.py": "from shop.ledger import handler\n",
        },
    )
    commit(shop)
    append(shop, "shop/common/tax.py")

    assert affected.select_tests(shop).files == ("tests/test_receipt.py",)


def test_show_tests_none_selected_prints_a_warning(capsys: pytest.CaptureFixture[str], plain: Path) -> None:
    affected.show_tests(affected.select_tests(plain))

    assert capsys.readouterr() == ("", "warning: the changes reach no test\n")
