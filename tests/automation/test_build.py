"""`inv build` shows what it built before it fails."""

from pathlib import Path

import pytest

from automation import build
from automation.project.selection import EVERYTHING
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

FUNCTION = "Type: AWS::Serverless::Function, Properties: {Handler: app.main, Runtime: python3.12"
TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Good: {{{FUNCTION}, CodeUri: good}}}}
  Bad: {{{FUNCTION}, CodeUri: bad}}}}
  Worse: {{{FUNCTION}, CodeUri: worse}}}}
"""
MIXED = "idna==3.10\nb --hash=sha256:0\n"


def test_build_with_failures_shows_the_rest_and_names_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = {f"{name}/app.py": "" for name in ("good", "bad", "worse")}
    write_files(tmp_path, {"template.yaml": TEMPLATE, **sources, "bad/requirements.txt": MIXED})
    write_files(tmp_path, {"worse/app.py": "x = 1\n", "worse/requirements.txt": MIXED})

    with pytest.raises(ConfigurationError, match=r"worse/requirements\.txt:1: idna==3\.10 has no hash"):
        build.build(tmp_path, EVERYTHING, engine="uv", variables={})

    said = capsys.readouterr()
    assert "3 functions: 1 built, 2 failed\n1 built, 0 unchanged, " in said.out
    assert "error: " in said.err
    assert "bad/requirements.txt:1: idna==3.10 has no hash" in said.err
    assert "worse" not in said.err
