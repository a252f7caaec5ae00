from pathlib import Path

import pytest

from automation.authoring import scaffolds
from automation.authoring.scaffolds import Insertion, NewFile, Scaffold
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

WHOLE = """
message = "${camel}Requested"
source = "shop"
schedule_input = "go"
keep = {bus = ["Table"]}
runs = [["python", "-V"]]
generated = ["samples/*.json"]

[[files]]
path = "src/${module}.py"
text = "handler.txt"
when = ["bus"]

[[insertions]]
file = "a.toml"
after = "^a"
insert = "b"

[[insertions]]
file = "a.toml"
before = "^c"
insert = "d"
when = ["schedule"]

[[insertions]]
file = "a.toml"
into = 'e = \\['
insert = "f"
"""


def read(root: Path, table: str) -> Scaffold:
    write_files(root, {"s/scaffold.toml": table, "s/handler.txt": "text\n"})
    return scaffolds.read(root / "s", name="s")


def test_read_knows_files_insertions_and_values(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Scaffold(
        files=(NewFile("src/${module}.py", "text\n", frozenset({"bus"})),),
        insertions=(
            Insertion("a.toml", "^a", "b"),
            Insertion("a.toml", "^c", "d", is_before=True, when=frozenset({"schedule"})),
            Insertion("a.toml", r"e = \[", "f", is_item=True),
        ),
        message="${camel}Requested",
        source="shop",
        schedule_input="go",
        keep={"bus": frozenset({"Table"})},
        runs=(("python", "-V"),),
        generated=("samples/*.json",),
    )


def test_read_empty_scaffold_has_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Scaffold()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("a = [", r"s/scaffold.toml: is not valid TOML"),
        ("[[files]]\npath = 'x'\n", "s/scaffold.toml: has a wrong or missing entry: 'text'"),
        ("[[insertions]]\nfile = 'x'\ninsert = ''\n", "s/scaffold.toml: has a wrong or missing entry: 'after'"),
        (
            "[[insertions]]\nfile = 'x'\ninsert = ''\nafter = '('\n",
            "s/scaffold.toml: has a wrong or missing entry: missing",
        ),
        ("keep = 1\n", "s/scaffold.toml: has a wrong or missing entry"),
        ("[[files]]\npath = 'x'\ntext = 'gone.txt'\n", "s: gone.txt does not exist; see scaffold in pyproject.toml"),
    ],
)
def test_read_says_what_is_wrong(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, table)

    assert str(raised.value).startswith(message)


def test_read_without_a_folder_says_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        scaffolds.read(tmp_path / "none", name="none")

    assert str(raised.value) == "none: scaffold.toml does not exist; see scaffold in pyproject.toml, [tool.alchemiser]"


def test_render_replaces_placeholders() -> None:
    assert scaffolds.render("${a}-$$-$b", {"a": "1", "b": "2"}, where="f") == "1-$-2"


def test_render_names_an_unknown_placeholder_and_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as raised:
        scaffolds.render("${c}", {"b": "", "a": ""}, where="f")

    assert str(raised.value) == "f: ${c} is not a variable; the variables are: a, b"


def test_render_explains_a_single_dollar() -> None:
    with pytest.raises(ConfigurationError, match=r"f: a single \$ is written \$\$: Invalid placeholder"):
        scaffolds.render("a$", {}, where="f")
