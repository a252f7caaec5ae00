"""The command builds and proves the same artifacts on macOS and Windows, as far as Linux can pretend to be them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from automation.system import files
from tests.automation.projects import write_files

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="pretends from Linux")]

REPOSITORY = Path(__file__).parents[2]
PRETENDED = Path(__file__).with_name("pretended.py")
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: web/, Handler: app.handler, Layers: [!Ref Shared]}
  Shared:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties: {ContentUri: shared/, CompatibleRuntimes: [python3.12]}
"""
LOCK = """six==1.17.0 \
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274 \
    --hash=sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81
"""
SOURCES = {
    "template.yaml": TEMPLATE,
    "pyproject.toml": "",
    "web/app.py": "import six\nimport money\nimport nowhere\n\n\ndef handler(event, context): ...\n",
    "web/requirements.txt": LOCK,
    "web/run.sh": "#!/bin/sh\n",
    "shared/money.py": "",
}


def alchemiser(root: Path, system: str, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{RUN}", system, *words]
    return subprocess.run(argv, cwd=root, capture_output=True, encoding="utf-8", check=False)


RUN = f"import runpy; runpy.run_path({str(PRETENDED)!r}, run_name='__main__')"


def built(root: Path, system: str) -> dict[str, str]:
    """Build a project, and return the digests of its zips."""
    write_files(root, SOURCES)
    (root / "web/run.sh").chmod(0o755)
    finished = alchemiser(root, system, "build")
    assert finished.returncode == 0, finished.stderr
    return files.digest_tree(root / ".aws-sam/build/zips")


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_build_and_proof_are_those_of_linux(system: str, tmp_path: Path) -> None:
    root = tmp_path / system

    assert built(root, system) == built(tmp_path / "linux", "linux")

    proven = alchemiser(root, system, "prove", "--json")
    assert proven.returncode == 3, proven.stderr
    proof = json.loads(proven.stdout)
    assert [(function["name"], function["how"]) for function in proof["functions"]] == [("Web", "static")]
    assert [fault["where"] for fault in proof["errors"]] == ["web/app.py:3"]
    assert alchemiser(root, system, "size").returncode == 0
    assert alchemiser(root, system, "clean").returncode == 0
    assert not (root / ".alchemiser").exists()
