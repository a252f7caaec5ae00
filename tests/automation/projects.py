"""A small SAM project on disk whose names are not ours: two stacks, three functions, a code layer and a lock layer."""

from collections.abc import Mapping
from pathlib import Path

PYPROJECT = """
[tool.alchemiser]
package = "shop"
budgets = {function_mb = 1, layer_mb = 2}

[[tool.alchemiser.stacks]]
name = "base"
template = "base.yaml"
build_dir = ".aws-sam/base"
config_env = "{env}-base"

[[tool.alchemiser.stacks]]
name = "app"
template = "app.yaml"
build_dir = ".aws-sam/build"

[tool.alchemiser.environments.here]
region = "us-east-1"
consent = "none"
endpoint = "http://127.0.0.1:${SHOP_PORT:-4566}"
key_id = "test"
secret = "test"
architecture_parameter = "Machine"
parameters = {Url = "http://127.0.0.1:${SHOP_PORT:-4566}/"}

[tool.alchemiser.environments.live]
region = "eu-west-1"
account = "123456789012"
consent = "word"
"""

BASE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Machine: {Type: String, Default: x86_64}
  Url: {Type: String, Default: "https://example.com/"}
Resources:
  Code:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common/python/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12, Alchemiser: {BudgetMB: 0.5}}
  Stock:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/stock/
      Handler: shop.stock.handler.main
      Runtime: python3.12
      Architectures: [!Ref Machine]
      Layers: [!Ref Code]
"""

APP = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, Timeout: 30, Layers: [!Ref Code]}
Parameters:
  BaseStack: {Type: String}
  Colour: {Type: String, Default: green}
Resources:
  Code:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common/python/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Wheels:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/wheels/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Till:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/till/, Handler: shop.till.handler.main, Layers: [!Ref Wheels]}
    Metadata: {Alchemiser: {BudgetMB: 0.25}}
  Ledger:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/ledger/, Handler: shop.ledger.handler.main}
"""

SAMCONFIG = """
version = 0.1

[here-base.deploy.parameters]
stack_name = "shop-here-base"

[here.deploy.parameters]
stack_name = "shop-here"
parameter_overrides = ["BaseStack=shop-here-base", "Colour=red"]

[live-base.deploy.parameters]
stack_name = "shop-live-base"

[live.deploy.parameters]
stack_name = "shop-live"
parameter_overrides = "BaseStack=shop-live-base"
"""

SOURCES: Mapping[str, str] = {
    "shop/common/prices.py": "PRICE = 3\n",
    "shop/common/data/rates.json": "{}\n",
    "shop/stock/handler.py": "def main(event, context): ...\n",
    "shop/till/handler.py": "def main(event, context): ...\n",
    "shop/ledger/handler.py": "def main(event, context): ...\n",
    "layers/wheels/requirements.in": "\n",
    "layers/wheels/requirements.txt": "\n",
}

SETTINGS: Mapping[str, str] = {
    "pyproject.toml": PYPROJECT,
    "base.yaml": BASE,
    "app.yaml": APP,
    "samconfig.toml": SAMCONFIG,
}


def write_files(root: Path, contents: Mapping[str, str]) -> None:
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_shop(root: Path, **changes: str) -> Path:
    """Write the project; `changes` replace settings files, `base_yaml` standing for base.yaml."""
    replaced = {name: changes.get(name.replace(".", "_"), text) for name, text in SETTINGS.items()}
    write_files(root, {**SOURCES, **replaced})
    return root


def write_build(root: Path, sizes: Mapping[str, Mapping[str, int]]) -> None:
    """Put a finished build in place: by build_dir, the bytes of each artifact."""
    for build_dir, artifacts in sizes.items():
        template = ["Resources:"]
        for name, count in artifacts.items():
            kind = "Function" if name in {"Stock", "Till", "Ledger"} else "LayerVersion"
            key = "CodeUri" if kind == "Function" else "ContentUri"
            template += [f"  {name}:", f"    Type: AWS::Serverless::{kind}", f"    Properties: {{{key}: {name}}}"]
            folder = root / build_dir / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "content").write_bytes(bytes(count))
        write_files(root, {f"{build_dir}/template.yaml": "\n".join(template)})
