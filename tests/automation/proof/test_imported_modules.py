"""Which top-level modules a function certainly imports: those of its import, and those that its code names."""

from pathlib import Path

import pytest

from automation import prove
from tests.automation.proof.small import TEMPLATE, make


def imports(root: Path, text: str, *modules: str, architecture: str = "x86_64") -> bool:
    """Return whether the function One, with this code, certainly imports one of the modules."""
    template = TEMPLATE.replace("{Runtime:", f"{{Architectures: [{architecture}], Runtime:")
    project = make(root, {"functions/one/app.py": text}, template=template)
    evidence = prove.prove(project, names=["One"]).functions[0]
    return evidence.imports(frozenset(modules))


HANDLER = "def handler(event, context): ...\n"


def test_imports_of_the_import_count(tmp_path: Path) -> None:
    text = f"import importlib\nimportlib.import_module('wa' + 've')\n{HANDLER}"

    assert imports(tmp_path / "a", text, "boto3", "wave")
    assert not imports(tmp_path / "b", text, "boto3", "sunau")


@pytest.mark.parametrize(
    ("line", "is_imported"),
    [
        ("import wave", True),
        ("import xml.dom.minidom", True),
        ("from wave import open", True),
        ("if event:\n        import wave", False),
        ("try:\n        import wave\n    except ImportError:\n        pass", False),
        ("import waves", False),
    ],
)
def test_imports_of_an_event_count_when_they_are_certain(tmp_path: Path, line: str, is_imported: bool) -> None:
    text = f"def handler(event, context):\n    {line}\n"

    assert imports(tmp_path, text, "wave", "waves", "xml") is is_imported


def test_imports_of_a_function_that_is_only_read_count(tmp_path: Path) -> None:
    assert imports(tmp_path, f"import wave\n{HANDLER}", "wave", architecture="arm64")


def test_imports_of_a_package_that_fails_count(tmp_path: Path) -> None:
    text = f"import stone.chisel\n{HANDLER}"
    package = {"functions/one/stone/__init__.py": "import wave\nraise ImportError('too hard')\n"}
    project = make(tmp_path, {"functions/one/app.py": text, **package})

    evidence = prove.prove(project, names=["One"]).functions[0]

    assert [evidence.imports(frozenset({name})) for name in ("stone", "wave", "sand")] == [True, True, False]
