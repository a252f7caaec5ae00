"""A small sound SAM project into which the faults are planted: two stacks that exchange messages, one function each.

The package `bakery` has no `__init__.py` at its root: its parts are in a function and in a code layer. The layer
`Flour` is a distribution as an installer writes it, with a compiled module that nothing imports. Everything that a
fault can break is here in its sound form: an alias, a queue's visibility, a data file, a variable without a default.
"""

from collections.abc import Mapping
from pathlib import Path

from automation.building import builder, source_copies
from automation.project import model

APP_BUILD = ".aws-sam/build"
BASE_BUILD = ".aws-sam/base"
FLOUR = f"{APP_BUILD}/Flour/python"
EXTENSION = "flourish/_mill.cpython-312-x86_64-linux-gnu.so"
X86_64, ARM64 = 62, 183

PYPROJECT = """
[tool.alchemiser]
package = "bakery"
messages = "bakery.common.messages:REGISTRY"

[[tool.alchemiser.stacks]]
name = "base"
template = "base.yaml"
build_dir = ".aws-sam/base"
config_env = "{env}-base"

[[tool.alchemiser.stacks]]
name = "app"
template = "app.yaml"
build_dir = ".aws-sam/build"
"""

BASE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, Timeout: 20}
Resources:
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: bakery}
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layers/common/python/
      CompatibleRuntimes: [python3.12]
    Metadata: {BuildMethod: python3.12}
  Oven:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/oven/
      Handler: bakery.oven.handler.main
      Layers: [!Ref Common]
      Events:
        Inbox:
          Type: SQS
          Properties: {Queue: !GetAtt OvenInbox.Arn}
  OvenInbox:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 30}
  OrderPlacedRule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [bakery], detail-type: [OrderPlaced]}
      Targets: [{Id: oven, Arn: !GetAtt OvenInbox.Arn}]
"""

APP = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  TimeoutS: {Type: Number, Default: 20}
  VisibilityS: {Type: Number, Default: 30}
Globals:
  Function:
    Runtime: python3.12
    Timeout: !Ref TimeoutS
    Environment:
      Variables: {SHOP_NAME: The Corner Bakery}
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layers/common/python/
      CompatibleRuntimes: [python3.12]
      PublishLambdaVersion: true
    Metadata: {BuildMethod: python3.12}
  Flour:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layers/flour/
      CompatibleRuntimes: [python3.12]
      CompatibleArchitectures: [x86_64]
      PublishLambdaVersion: true
    Metadata: {BuildMethod: python3.12}
  Till:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/till/
      Handler: bakery.till.handler.main
      Architectures: [x86_64]
      AutoPublishAlias: live
      AutoPublishAliasAllProperties: true
      Layers: [!Ref Common, !Ref Flour]
      Events:
        Inbox:
          Type: SQS
          Properties: {Queue: !GetAtt TillInbox.Arn}
  TillInbox:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: !Ref VisibilityS}
  LoafBakedRule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: bakery
      EventPattern: {source: [bakery], detail-type: [LoafBaked]}
      Targets: [{Id: till, Arn: !GetAtt TillInbox.Arn}]
"""

MESSAGES = """
from typing import NamedTuple


class Route(NamedTuple):
    source: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    queued: bool = False


class OrderPlaced: ...


class LoafBaked: ...


class ReceiptWanted: ...


REGISTRY = {
    OrderPlaced: Route("bakery", ("till",), ("oven",)),
    LoafBaked: Route("bakery", ("oven",), ("till",)),
    ReceiptWanted: Route("bakery", ("oven",), ("till",), queued=True),
}
"""

OVEN = """
import json

from bakery.common.messages import LoafBaked


def main(event, context):
    return json.dumps({"type": LoafBaked.__name__})
"""

TILL = """
import os
from pathlib import Path

import boto3
import flourish

from bakery.common import messages

TEMPLATE = Path(__file__).parent / "receipt.txt"
SHOP_NAME = os.environ["SHOP_NAME"]


def main(event, context):
    text = TEMPLATE.read_text().format(shop=SHOP_NAME, flour=flourish.NAME, wanted=messages.ReceiptWanted.__name__)
    boto3.client("sqs").send_message(QueueUrl=event["reply_to"], MessageBody=text)
"""

SOURCES: Mapping[str, str] = {
    "pyproject.toml": PYPROJECT,
    "base.yaml": BASE,
    "app.yaml": APP,
    "bakery/common/messages.py": MESSAGES,
    "bakery/oven/handler.py": OVEN,
    "bakery/till/handler.py": TILL,
    "bakery/till/receipt.txt": "{shop}: {wanted}, {flour}\n",
}


def write(root: Path) -> Path:
    """Write the sources of the sound project."""
    for name, text in SOURCES.items():
        put(root / name, text)
    install(root / "layers" / "flour", "flourish", "1.2.0", {"flourish/__init__.py": "NAME = 'spelt'\n"}, EXTENSION)
    return root


def make(root: Path) -> None:
    """Sync and build the project; nothing is downloaded."""
    loaded = model.load(root)
    source_copies.sync(loaded)
    builder.build(loaded)


def install(
    site: Path,
    name: str,
    version: str,
    modules: Mapping[str, str],
    extension: str = "",
    *,
    tag: str = "",
    machine: int = X86_64,
) -> None:
    """Write a distribution as an installer does: modules, an ELF file's head, and dist-info with its RECORD.

    Args:
        extension: the path of its compiled module; a distribution without one is pure.
        tag: the tag in WHEEL; by default one that suits the compiled module.
    """
    info = f"{name}-{version}.dist-info"
    pure = not extension
    tag = tag or ("py3-none-any" if pure else "cp312-cp312-manylinux_2_17_x86_64")
    listed = [*modules, *([extension] if extension else []), f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"]
    for path, text in modules.items():
        put(site / path, text)
    if extension:
        put(site / extension, elf(machine))
    put(site / info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    put(site / info / "WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: {str(pure).lower()}\nTag: {tag}\n")
    put(site / info / "RECORD", "".join(f"{path},,\n" for path in listed))


def elf(machine: int) -> bytes:
    """Return the head of a shared object for a machine.

    Args:
        machine: e_machine of the ELF header.
    """
    return b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + machine.to_bytes(2, "little") + bytes(44)


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def change(root: Path, name: str, old: str, new: str) -> None:
    """Replace a text in a file, which must contain it."""
    text = (root / name).read_text()
    assert old in text, f"{name} has no {old!r}"
    (root / name).write_text(text.replace(old, new))


def make_runtime_site(site: Path) -> Path:
    """Write small stand-ins for the packages of the managed runtime."""
    install(site, "boto3", "1.43.0", {"boto3/__init__.py": "def client(name):\n    raise NotImplementedError(name)\n"})
    for name in ("botocore", "s3transfer", "jmespath", "urllib3"):
        install(site, name, "1.43.0", {f"{name}/__init__.py": ""})
    install(site, "python_dateutil", "2.9.0", {"dateutil/__init__.py": ""})
    install(site, "six", "1.17.0", {"six.py": ""})
    return site
