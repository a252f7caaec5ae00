"""Three releases of a small project of another shape: the history names the release and the distribution that grew.

The cold starts of the same project: the emulator reports invocations, and no start that could be measured.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from automation.system import sam
from tests.automation import repositories
from tests.automation.projects import write_files
from tests.e2e.conftest import ROOT, Sandbox

ACCOUNT = "000000000007"
FILES = {
    "tasks.py": "from automation import commands, tasks\n\nnamespace = commands.assemble(tasks.collection())\n",
    ".gitignore": ".aws-sam\n.alchemiser\nautomation\n__pycache__\n",
    "pyproject.toml": f"""
[tool.alchemiser]
budgets = {{layer_mb = 2, function_mb = 1}}
smoke = {{health = true}}

[tool.alchemiser.environments.prod]
region = "us-east-1"
account = "{ACCOUNT}"
consent = "word"
""",
    "samconfig.toml": 'version = 0.1\n[prod.deploy.parameters]\nstack_name = "shop"\ns3_bucket = "shop-code"\n',
    "template.yaml": """
Transform: AWS::Serverless-2016-10-31
Resources:
  Numbers:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/numbers/, CompatibleRuntimes: [python3.12]}
  Till:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: till/, Handler: app.handler, Runtime: python3.12, Layers: [!Ref Numbers]}
""",
    "till/app.py": "def handler(event, context):\n    return {'healthy': True}\n",
}


class Shop:
    """The project, in a repository of its own, and the releases of its environment."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        path = f"{sam.ensure(ROOT).parent}{os.pathsep}{os.environ['PATH']}"
        account = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}
        self.variables = {**os.environ, **account, "AWS_ENDPOINT_URL": sandbox.emulator_url, "PATH": path}

    def inv(self, *words: str) -> str:
        """Run a command and return what it prints."""
        argv = [sys.executable, "-m", "invoke", *words]
        done = subprocess.run(
            argv, cwd=self.root, env=self.variables, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, name: str, version: str, count: int) -> None:
        """Put a distribution with that many bytes of code into the layer, instead of its other version."""
        site = self.root / "layers/numbers/python"
        for old in site.glob(f"{name}*"):
            shutil.rmtree(old)
        info = f"{name}-{version}.dist-info"
        record = f"{name}/__init__.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n"
        files = {f"{name}/__init__.py": "#" * count, f"{info}/METADATA": f"Name: {name}\n", f"{info}/RECORD": record}
        write_files(site, files)

    def release(self, tag: str) -> None:
        """Commit and deploy."""
        repositories.commit(self.root)
        repositories.git(self.root, "tag", tag)
        assert "runs in prod" in self.inv("deploy", "--env", "prod", "--yes", "--allow", "unpushed")


@pytest.fixture(scope="module")
def shop(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Deploy three releases: the second one grows the layer, the third one only changes code."""
    root = tmp_path_factory.mktemp("shop")
    shutil.copytree(ROOT / "automation", root / "automation", ignore=shutil.ignore_patterns("__pycache__"))
    write_files(root, FILES)
    repositories.git(root, "init", "-q", "-b", "main")
    running.client("s3", account=ACCOUNT).create_bucket(Bucket="shop-code")
    shop = Shop(root, running)

    shop.install("numpy", "2.4.1", 900_000)
    shop.release("v1")
    shop.install("numpy", "2.5.5", 1_000_000)
    shop.install("pandas", "3.0.1", 300_000)
    shop.release("v2")
    write_files(root, {"till/app.py": FILES["till/app.py"] + "# changed\n"})
    shop.release("v3")
    return shop


def test_history_names_the_release_and_the_distribution(shop: Shop) -> None:
    output = shop.inv("size", "--history", "--env", "prod")

    grew = "Numbers 900.2 kB -> 1.30 MB in r2 (v2): pandas 3.0.1 new +300.2 kB, numpy 2.4.1 -> 2.5.5 +100.0 kB"
    assert grew in output.splitlines()
    assert "r2-r3    v2, v3" in output


def test_cold_starts_of_an_emulator_are_not_invented(shop: Shop) -> None:
    output = shop.inv("coldstart", "--env", "prod")

    assert "Till: no cold start in 14 days: none of its 3 invocations reported one" in output
    assert "the reports of an emulator have no Init Duration" in output
