from collections.abc import Iterable

from automation.reach import imports
from automation.reach.selected_tests import Choice, Layout, choose

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
LAYOUT = Layout(("tests",), ("tests/slow", ".*"))
EVERY = ("tests/docs/test_words.py", "tests/test_pages.py", "tests/test_stock.py", "tests/test_till.py")


def chosen(*changed: str, templates: Iterable[str] = ()) -> tuple[str, ...]:
    return choose(changed, TEXTS, imports.of(IMPORTS), LAYOUT, templates=frozenset(templates)).files


def test_choose_nothing_changed_is_nothing() -> None:
    assert chosen() == ()


def test_choose_module_runs_its_importers_by_any_number_of_steps() -> None:
    assert chosen("shop/tax.py") == ("tests/test_till.py",)


def test_choose_test_itself_changed_runs_it() -> None:
    assert chosen("tests/test_pages.py") == ("tests/test_pages.py",)


def test_choose_what_a_conftest_imports_runs_the_tests_of_its_folder() -> None:
    assert chosen("shop/stock.py") == ("tests/docs/test_words.py", "tests/test_stock.py")


def test_choose_conftest_runs_the_tests_below_it() -> None:
    assert chosen("tests/docs/conftest.py") == ("tests/docs/test_words.py",)


def test_choose_data_beside_tests_runs_them() -> None:
    assert chosen("tests/docs/expected.json") == ("tests/docs/test_words.py",)


def test_choose_data_of_a_folder_without_tests_runs_all_below_the_next_one() -> None:
    assert chosen("tests/events/one.json") == EVERY


def test_choose_data_of_a_package_runs_what_imports_the_modules_beside_it() -> None:
    assert chosen("shop/web/page.html") == ("tests/test_pages.py",)


def test_choose_data_of_a_folder_without_modules_runs_who_names_it() -> None:
    assert "tests/test_till.py" in chosen("shop/rates/today.csv")


def test_choose_file_that_a_test_names_runs_it() -> None:
    assert chosen("docs/guide.md") == ("tests/docs/test_words.py",)


def test_choose_file_that_nothing_names_runs_nothing() -> None:
    assert chosen("docs/other/more.md") == ()


def test_choose_template_of_any_name_runs_who_reads_templates() -> None:
    assert chosen("base.yaml", templates=["base.yaml"]) == ("tests/docs/test_words.py",)


def test_choose_hidden_folder_is_left_out() -> None:
    assert chosen("tests/slow/test_all.py") == ()


def test_choose_settings_run_everything() -> None:
    found = choose({"pyproject.toml"}, TEXTS, imports.of(IMPORTS), LAYOUT)

    assert found == Choice(EVERY, "pyproject.toml changed")


def test_choose_lock_runs_everything() -> None:
    found = choose({"locks/dev.txt"}, TEXTS, imports.of(IMPORTS), LAYOUT)

    assert found == Choice(EVERY, "locks/dev.txt changed")


def test_choose_unknown_imports_run_everything() -> None:
    found = choose({"shop/tax.py"}, TEXTS, None, LAYOUT)

    assert found == Choice(EVERY, "the imports are not known")


def test_layout_reads_pytests_settings() -> None:
    layout = Layout.of({"testpaths": ["checks"], "norecursedirs": "checks/slow .*"})

    assert [layout.is_test(f"checks/{one}") for one in ("test_a.py", "slow/test_a.py", "helper.py")] == [
        True,
        False,
        False,
    ]
