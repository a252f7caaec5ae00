from pathlib import Path

import pytest

from automation.authoring import builtin_scaffold
from automation.project.model import Function
from automation.project.templates import Unresolved
from automation.system.errors import ConfigurationError


def function(handler: str = "main.handle", code_uri: object = "src/risk", runtime: str = "python3.12") -> Function:
    return Function("Risk", "main", handler, code_uri, (), runtime, (), None, None)  # type: ignore[arg-type]  # any folder


@pytest.mark.parametrize(
    ("handler", "code_uri", "package", "path"),
    [
        ("main.handle", "src/risk/", "", "src/risk/main.py"),
        ("a.b.main", "src", "", "src/a/b.py"),
        ("shop.risk.main", "functions/risk", "shop", "shop/risk.py"),
        ("shopping.risk.main", "functions/risk", "shop", "functions/risk/shopping/risk.py"),
        ("shop.risk.main", "functions/risk", "", "functions/risk/shop/risk.py"),
    ],
)
def test_code_path_is_where_the_handler_is_imported_from(handler: str, code_uri: str, package: str, path: str) -> None:
    assert builtin_scaffold.code_path(function(handler, code_uri), package=package) == path


@pytest.mark.parametrize(
    "unknown", [function(code_uri=None), function(code_uri=Unresolved("x")), function(handler="handle")]
)
def test_code_path_without_a_folder_names_the_way_out(unknown: Function) -> None:
    with pytest.raises(
        ConfigurationError, match=r"Risk: its code is not in a folder of the project; .* with --example"
    ):
        builtin_scaffold.code_path(unknown, package="")


def test_scaffold_is_a_handler_and_a_test() -> None:
    handler, test = builtin_scaffold.scaffold(function(), package="", tests="tests/unit").files

    assert (handler.path, test.path) == ("src/risk/main.py", "tests/unit/test_${module}.py")
    assert handler.text.splitlines()[0] == '"""${module}: ${description}"""'
    assert "def handle(event: dict[str, Any], context: object) -> dict[str, Any]:" in handler.text
    assert 'HANDLER = Path(__file__).parents[2] / "src/risk/main.py"' in test.text


def test_scaffold_without_tests_is_a_handler() -> None:
    [handler] = builtin_scaffold.scaffold(function(), package="", tests="").files

    assert handler.path == "src/risk/main.py"


def test_scaffold_of_another_language_names_the_setting() -> None:
    with pytest.raises(ConfigurationError) as raised:
        builtin_scaffold.scaffold(function(runtime="nodejs22.x"), package="", tests="")

    assert str(raised.value) == (
        "Risk: runs on nodejs22.x; without a scaffold only Python can be written: "
        "name a folder with one as scaffold in pyproject.toml, [tool.alchemiser]"
    )


def test_test_folder_is_the_one_for_unit_tests_first(tmp_path: Path) -> None:
    folders = [builtin_scaffold.test_folder(tmp_path)]
    for name in ("tests", "tests/unit"):
        (tmp_path / name).mkdir()
        folders.append(builtin_scaffold.test_folder(tmp_path))

    assert folders == ["", "tests", "tests/unit"]
