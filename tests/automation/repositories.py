"""Make small projects, each in its own git repository with one commit."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.automation.projects import make_shop, write_files

_AUTHOR = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")

# A project as SAM's own templates make it: no package, no pyproject.toml, and a layer that is zipped unbuilt.
PLAIN: Mapping[str, str] = {
    "template.yaml": """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, Timeout: 3}
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/, CompatibleRuntimes: [python3.12]}
  Hello:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: hello-world/, Handler: app.handler, Layers: [!Ref Common]}
  Bye:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: bye/, Handler: src/app.handler, Layers: [!Ref Common]}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: flow.asl.json}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {DelaySeconds: 1}
""",
    "flow.asl.json": "{}\n",
    "README.md": "# Plain\n",
    "common/python/money/__init__.py": "",
    "common/python/money/round.py": "PLACES = 2\n",
    "common/python/clock.py": "NOW = 1\n",
    "hello-world/app.py": "from lib import greet\n\ndef handler(event, context): return greet.WORD\n",
    "hello-world/lib/__init__.py": "",
    "hello-world/lib/greet.py": "from money import round\nWORD = 'hello'\n",
    "hello-world/lib/unused.py": "",
    "hello-world/requirements.txt": "",
    "bye/src/app.py": "import clock\n\ndef handler(event, context): return clock.NOW\n",
    ".gitignore": ".aws-sam\n.alchemiser\n*.secret\n",
}


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *_AUTHOR, *words], cwd=root, check=True, capture_output=True)


def commit_all(root: Path, branch: str = "main") -> None:
    """Make a repository of a folder, and commit all of it."""
    git(root, "init", "-q", "-b", branch)
    commit(root)


def append(root: Path, path: str, text: str = "# changed\n") -> None:
    (root / path).write_text((root / path).read_text() + text)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a commit")


def make_plain_repository(root: Path) -> Path:
    write_files(root, PLAIN)
    commit_all(root)
    return root


def make_shop_repository(root: Path) -> Path:
    """Make the shop with modules that import one another; git ignores what sync generates."""
    make_shop(root)
    write_files(
        root,
        {
            ".gitignore": "/functions/\n/layers/common/python/\n/.alchemiser/\n",
            "shop/common/tax.py": "RATE = 0.2\n",
            "shop/till/handler.py": "from shop.till import receipt\n\ndef main(event, context): ...\n",
            "shop/till/receipt.py": "from shop.common import tax\n",
            "docs/guide.md": "# Guide\n",
        },
    )
    commit_all(root)
    return root
