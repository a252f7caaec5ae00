from collections.abc import Iterable

from automation.reach import import_graphs
from automation.reach.selected_tests import PytestLayout, SelectedTests, select

TEXTS = {
    "shop/till.py": "from shop import tax\n",
    "shop/tax.py": "RATES = 'rates'\n",
    "shop/stock.py": "",
    "shop/web/pages.py": "folder = 'pictures'\n",
    "tools.py": "",
    "tests/conftest.py": "",
    "tests/test_till.py": "from shop import till\n",
    "tests/test_stock.py": "from shop import stock\n",
    "tests/test_pages.py": "from shop.web import pages\n",
    "tests/docs/test_words.py": "open('docs/guide.md')\nopen('template.yaml')\n",
    "tests/docs/conftest.py": "from shop import stock\n",
    "tests/slow/test_all.py": "from shop import till\n",
}
IMPORTS = {
    "shop.till": ["shop.tax"],
    "shop.tax": [],
    "shop.stock": [],
    "shop.web.pages": [],
    "tools": [],
    "tests.conftest": [],
    "tests.test_till": ["shop.till"],
    "tests.test_stock": ["shop.stock"],
    "tests.test_pages": ["shop.web.pages"],
    "tests.docs.test_words": [],
    "tests.docs.conftest": ["shop.stock"],
    "tests.slow.test_all": ["shop.till"],
}
LAYOUT = PytestLayout(("tests",), ("tests/slow", ".*"))
ALL_TESTS = ("tests/docs/test_words.py", "tests/test_pages.py", "tests/test_stock.py", "tests/test_till.py")


def selected(*changed: str, templates: Iterable[str] = ()) -> tuple[str, ...]:
    return select(changed, TEXTS, import_graphs.graph_of(IMPORTS), LAYOUT, templates=frozenset(templates)).files


def test_select_without_changes_is_empty() -> None:
    assert selected() == ()


def test_select_module_runs_its_direct_and_indirect_importers() -> None:
    assert selected("shop/tax.py") == ("tests/test_till.py",)


def test_select_test_itself_changed_runs_it() -> None:
    assert selected("tests/test_pages.py") == ("tests/test_pages.py",)


def test_select_import_of_a_conftest_runs_the_tests_of_its_folder() -> None:
    assert selected("shop/stock.py") == ("tests/docs/test_words.py", "tests/test_stock.py")


def test_select_conftest_runs_the_tests_below_it() -> None:
    assert selected("tests/docs/conftest.py") == ("tests/docs/test_words.py",)


def test_select_data_beside_tests_runs_them() -> None:
    assert selected("tests/docs/expected.json") == ("tests/docs/test_words.py",)


def test_select_data_in_a_folder_without_tests_runs_those_of_its_parent() -> None:
    assert selected("tests/events/one.json") == ALL_TESTS


def test_select_data_in_a_package_runs_importers_of_its_modules() -> None:
    assert selected("shop/web/page.html") == ("tests/test_pages.py",)


def test_select_data_in_a_folder_without_modules_runs_those_naming_it() -> None:
    assert "tests/test_till.py" in selected("shop/rates/today.csv")


def test_select_file_that_a_test_names_runs_it() -> None:
    assert selected("docs/guide.md") == ("tests/docs/test_words.py",)


def test_select_file_that_nothing_names_runs_nothing() -> None:
    assert selected("docs/other/more.md") == ()


def test_select_template_of_any_name_runs_readers_of_templates() -> None:
    assert selected("base.yaml", templates=["base.yaml"]) == ("tests/docs/test_words.py",)


def test_select_skipped_folder_is_left_out() -> None:
    assert selected("tests/slow/test_all.py") == ()


def test_select_settings_run_everything() -> None:
    tests = select({"pyproject.toml"}, TEXTS, import_graphs.graph_of(IMPORTS), LAYOUT)

    assert tests == SelectedTests(ALL_TESTS, "pyproject.toml changed")


def test_select_lock_runs_everything() -> None:
    tests = select({"locks/dev.txt"}, TEXTS, import_graphs.graph_of(IMPORTS), LAYOUT)

    assert tests == SelectedTests(ALL_TESTS, "locks/dev.txt changed")


def test_select_unknown_imports_run_everything() -> None:
    tests = select({"shop/tax.py"}, TEXTS, None, LAYOUT)

    assert tests == SelectedTests(ALL_TESTS, "the imports are unknown")


def test_layout_from_pytest_settings_applies_them() -> None:
    layout = PytestLayout.from_settings({"testpaths": ["checks"], "norecursedirs": "checks/slow .*"})

    assert [layout.is_test(f"checks/{name}") for name in ("test_a.py", "slow/test_a.py", "helper.py")] == [
        True,
        False,
        False,
    ]
