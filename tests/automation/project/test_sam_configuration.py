from pathlib import Path
from typing import Any

import pytest

from automation.project import sam_configuration
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files


def overrides(written: Any, root: Path = Path()) -> dict[str, str]:
    return sam_configuration.overrides({"parameter_overrides": written}, where="x", root=root)


@pytest.mark.parametrize(
    "written", ["A=1 B='x y'", ["A=1", "B=x y"], {"A": 1, "B": "x y"}], ids=["string", "list", "table"]
)
def test_overrides_every_notation_gives_same_result(written: Any) -> None:
    assert overrides(written) == {"A": "1", "B": "x y"}


@pytest.mark.parametrize(
    "written",
    [
        "ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue='x y'",
        ["ParameterKey=A,ParameterValue=1", 'B="x y"'],
        ["A=1 B='x y'"],
        [["A=1"], {"B": "x y"}],
    ],
    ids=["old notation", "old notation in a list", "pairs in an entry", "lists and tables in a list"],
)
def test_overrides_rarer_notations_of_sam(written: Any) -> None:
    assert overrides(written) == {"A": "1", "B": "x y"}


def test_overrides_entry_of_a_list_keeps_its_text() -> None:
    assert overrides(["Mails=a@x.de, b@y.de", r"Pattern=^\d+$", "Url=https://x?a=b", "Name=it's"]) == {
        "Mails": "a@x.de, b@y.de",
        "Pattern": r"^\d+$",
        "Url": "https://x?a=b",
        "Name": "it's",
    }


def test_overrides_of_a_table_join_lists_and_take_none_as_empty() -> None:
    assert overrides({"Zones": ["a ", "b"], "Empty": None}) == {"Zones": "a,b", "Empty": ""}


def test_overrides_none_are_empty() -> None:
    assert sam_configuration.overrides({}, where="x") == {}
    assert overrides("") == overrides([]) == {}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("A=1 B", r"^x: parameter_overrides: 'B' is not Name=value$"),
        (["B"], r"^x: parameter_overrides: 'B' is not Name=value$"),
        ("A='1", r"^x: parameter_overrides: \"A='1\": No closing quotation$"),
        ("file://none.yaml", r"^none\.yaml: cannot be read: \[Errno 2\] "),
    ],
)
def test_overrides_that_cannot_be_read_raise(tmp_path: Path, written: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        overrides(written, tmp_path)


def test_overrides_of_another_key_name_that_key() -> None:
    assert sam_configuration.overrides({"tags": "A=1"}, "tags", where="x") == {"A": "1"}
    with pytest.raises(ConfigurationError, match=r"^x: tags: 'B' is not Name=value$"):
        sam_configuration.overrides({"tags": ["B"]}, "tags", where="x")


def test_overrides_from_files_include_further_files(tmp_path: Path) -> None:
    files = {
        "settings/dev.yaml": "- $include: file://shared.json\n- B: 2\n",
        "settings/shared.json": '{"A": 1, "B": 1}',
        "more.toml": 'C = "3"\n',
    }
    write_files(tmp_path, files)

    assert overrides(["file://settings/dev.yaml", "file://more.toml"], tmp_path) == {"A": "1", "B": "2", "C": "3"}


def test_overrides_file_that_includes_itself_raises(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.yaml": "$include: file://a.yaml\n"})

    with pytest.raises(ConfigurationError, match=r"^x: parameter_overrides: file://a\.yaml includes itself$"):
        overrides("file://a.yaml", tmp_path)


def test_section_of_a_command_replaces_the_global_one() -> None:
    samconfig = {"dev": {"global": {"parameters": {"a": 1, "b": 1}}, "build": {"parameters": {"b": 2}}}}

    assert sam_configuration.section(samconfig, "dev", "build") == {"a": 1, "b": 2}
    assert sam_configuration.section(samconfig, "dev", "deploy") == {"a": 1, "b": 1}
    assert sam_configuration.section(samconfig, "live", "build") == {}
    assert sam_configuration.section({"dev": {"build": "text"}}, "dev", "build") == {}


def test_build_parameters_fall_back_to_those_of_a_deployment(tmp_path: Path) -> None:
    """A parameter without any value could not be resolved; one with a default has it, as for `sam build`."""
    samconfig = {
        "default": {
            "build": {"parameters": {"parameter_overrides": "Built=b Unknown=u"}},
            "deploy": {"parameters": {"parameter_overrides": "Built=d Needed=n Defaulted=x"}},
        }
    }
    definitions = {"Built": {}, "Needed": {}, "Defaulted": {"Default": "y"}}

    parameters = sam_configuration.build_parameters(samconfig, "default", definitions, root=tmp_path)

    assert parameters == {"Built": "b", "Needed": "n"}


def test_build_parameters_do_not_read_a_deployment_that_is_not_needed(tmp_path: Path) -> None:
    samconfig = {"default": {"deploy": {"parameters": {"parameter_overrides": "wrong"}}}}

    assert sam_configuration.build_parameters(samconfig, "default", {"A": {"Default": "1"}}, root=tmp_path) == {}
    with pytest.raises(ConfigurationError, match=r"^samconfig\.toml: \[default\.deploy\.parameters\]: "):
        sam_configuration.build_parameters(samconfig, "default", {"A": {}}, root=tmp_path)


@pytest.mark.parametrize("command", ["global", "build"])
def test_template_file_is_that_of_the_default_section(command: str) -> None:
    samconfig = {"default": {command: {"parameters": {"template_file": "infra/sam.yaml"}}}}

    assert sam_configuration.template_file(samconfig) == "infra/sam.yaml"
    assert sam_configuration.template_file({"dev": samconfig["default"]}) == ""
    assert sam_configuration.template_file({"default": {"deploy": samconfig["default"][command]}}) == ""


def test_base_folder_is_that_of_the_section() -> None:
    samconfig = {"default": {"build": {"parameters": {"base_dir": "code"}}}, "dev": {"build": {"parameters": {}}}}

    assert [sam_configuration.base_folder(samconfig, name) for name in ("default", "dev")] == ["code", ""]
    assert sam_configuration.base_folder({"dev": {"build": {"parameters": {"base_dir": 1}}}}, "dev") == ""


def test_read_takes_the_first_file_that_exists(tmp_path: Path) -> None:
    assert sam_configuration.read(tmp_path) == {}

    write_files(tmp_path, {"samconfig.yml": "a: 3\n"})
    assert sam_configuration.read(tmp_path) == {"a": 3}
    write_files(tmp_path, {"samconfig.yaml": "a: 2\n"})
    assert sam_configuration.read(tmp_path) == {"a": 2}
    (tmp_path / "samconfig.toml").write_text("\ufeffa = 1\n")
    assert sam_configuration.read(tmp_path) == {"a": 1}


def test_read_invalid_file_raises(tmp_path: Path) -> None:
    write_files(tmp_path, {"samconfig.toml": "x = ["})

    with pytest.raises(ConfigurationError, match=r"^samconfig\.toml: is not valid TOML"):
        sam_configuration.read(tmp_path)


def test_names_files_looks_for_references(tmp_path: Path) -> None:
    assert not sam_configuration.names_files(tmp_path)

    write_files(tmp_path, {"samconfig.toml": "a = 1"})
    assert not sam_configuration.names_files(tmp_path)

    write_files(tmp_path, {"samconfig.toml": 'a = ["file://x.yaml"]'})
    assert sam_configuration.names_files(tmp_path)
