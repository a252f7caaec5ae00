"""The small project as it is deployed to a fake account: its templates need no transform, so no SAM CLI either.

Stack app imports the export of stack base. Only the check of cfn-lint is left out: it takes seconds per template.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automation import deploy, destroy, diff, rollback
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release
from automation.project.model import Stack
from automation.project.settings import PYPROJECT
from automation.system.errors import Finding
from tests.automation.fake_aws import FakeAws
from tests.automation.projects import PYPROJECT as PLAIN_PYPROJECT
from tests.automation.projects import make_shop, write_files

ENDPOINT = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
STACK_NAMES = ("shop-live-base", "shop-live")
CREATED = [
    *("create shop-live-base", "execute shop-live-base", "create shop-live", "execute shop-live"),
    *("protect shop-live-base", "protect shop-live"),
]
# Two forms of a message, of which each release reads only its own; and what a guard may say about it.
ORDER = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"], "additionalProperties": False}
NEW_ORDER = ORDER | {"required": ["id", "price"], "properties": {"id": {"type": "string"}, "price": {"type": "string"}}}
STOP = {"level": "stop", "where": "orders", "what": "3 orders are queued", "fix": "wait until they are done"}

OWNER = '{Type: String, Default: "", Description: who is called, AllowedPattern: "|[^@]+@[^@]+"}'
_WATCHED = """
[[tool.alchemiser.watched]]
name = "selling"
parameter = "Selling"
forbid = ["on"]
"""
_HOOKS = """
guards = ["shop_hooks:guard"]
pause = ["shop_hooks:pause"]
contracts = ["shop_hooks:contracts"]
"""
_HOOKS_MODULE = """
import json
from pathlib import Path


def guard(context):
    Path("guarded.jsonl").open("a").write(json.dumps(context["breaking_contracts"]) + "\\n")
    file = Path("breaking.json" if context["breaking_contracts"] else "guard.json")
    return json.loads(file.read_text()) if file.exists() else []


def pause(context):
    Path("paused").touch()
    return [
        {"level": "info", "where": "shop", "what": "is paused", "fix": "open it again"},
        {"level": "info", "where": "shop", "what": "sells nothing"},
    ]


def contracts(context):
    return json.loads(Path("contracts.json").read_text())
"""

BASE = """
Parameters:
  Machine: {Type: String, Default: x86_64}
  Url: {Type: String, Default: "https://example.com/"}
Resources:
  Code:
    Type: AWS::Lambda::LayerVersion
    Properties: {Content: layers/common/python/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Sales:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Stock:
    Type: AWS::Lambda::Function
    Properties:
      Code: functions/stock/
      Handler: shop.stock.handler.main
      Runtime: python3.12
      Architectures: [!Ref Machine]
      Role: arn:aws:iam::123456789012:role/shop
      Layers: [!Ref Code]
      Environment: {Variables: {URL: !Ref Url}}
Outputs:
  Sales:
    Value: !Ref Sales
    Export: {Name: !Sub "${AWS::StackName}-sales"}
"""

APP = """
Parameters:
  BaseStack: {Type: String}
  Colour: {Type: String, Default: green}
  Selling: {Type: String, Default: "off"}
Resources:
  Code:
    Type: AWS::Lambda::LayerVersion
    Properties: {Content: layers/common/python/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Wheels:
    Type: AWS::Lambda::LayerVersion
    Properties: {Content: layers/wheels/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Till:
    Type: AWS::Lambda::Function
    Properties:
      Code: functions/till/
      Handler: shop.till.handler.main
      Runtime: python3.12
      Layers: [!Ref Code, !Ref Wheels]
      Role: arn:aws:iam::123456789012:role/shop
      Environment:
        Variables: {COLOUR: !Ref Colour, SELLING: !Ref Selling, SALES: !ImportValue {"Fn::Sub": "${BaseStack}-sales"}}
  Ledger:
    Type: AWS::Lambda::Function
    Properties:
      Code: functions/ledger/
      Handler: shop.ledger.handler.main
      Runtime: python3.12
      Layers: [!Ref Code]
      Role: arn:aws:iam::123456789012:role/shop
"""

SAMCONFIG = """
version = 0.1

[here-base.deploy.parameters]
stack_name = "shop-here-base"
s3_bucket = "shop-artifacts"

[here.deploy.parameters]
stack_name = "shop-here"
s3_bucket = "shop-artifacts"
parameter_overrides = ["BaseStack=shop-here-base", "Colour=red"]

[live-base.deploy.parameters]
stack_name = "shop-live-base"
s3_bucket = "shop-artifacts"

[live.deploy.parameters]
stack_name = "shop-live"
s3_bucket = "shop-artifacts"
parameter_overrides = ["BaseStack=shop-live-base"]
"""


def pass_lint(_stacks: Sequence[Stack], _root: Path, *, meanwhile: Callable[[], list[Finding]] = list) -> list[Finding]:
    """Stand in for validate.lint."""
    return meanwhile()


def make_deployable_shop(root: Path) -> Path:
    pyproject = PLAIN_PYPROJECT.replace('package = "shop"', 'package = "shop"\nsmoke = {health = true}') + _WATCHED
    return make_shop(root, pyproject_toml=pyproject, base_yaml=BASE, app_yaml=APP, samconfig_toml=SAMCONFIG)


@dataclass
class ShopDeployments:
    """The project, the account, and the commands. Unless a test says otherwise, ordinary changes are confirmed."""

    root: Path
    aws: FakeAws = field(default_factory=FakeAws)
    variables: dict[str, str] = field(default_factory=lambda: dict(ENDPOINT))
    leftovers: Any = None

    def deploy(
        self,
        name: str = "live",
        *,
        yes: bool = True,
        allow: tuple[str, ...] = (),
        plan: str = "",
        values: tuple[str, ...] = (),
        adopt: tuple[str, ...] = (),
        ttl: str = "",
    ) -> Release | None:
        options = deploy.Options(yes=yes, allow=allow, plan=plan, set=values, adopt=adopt, ttl=ttl)
        return deploy.deploy(self.root, name, variables=self.variables, options=options, connect=self.aws.connect)

    def rollback(self, to: str = "", *, yes: bool = True, allow: tuple[str, ...] = ()) -> Release:
        options = rollback.Options(to=to, yes=yes, allow=allow)
        return rollback.rollback(self.root, "live", variables=self.variables, options=options, connect=self.aws.connect)

    def destroy(self, *data: str, name: str = "live", **options: Any) -> None:
        """Destroy an environment, confirmed in advance unless `options` say otherwise."""
        chosen = replace(destroy.Options(data, yes=True, confirm=name), **options)
        destroy.destroy(
            *(self.root, name),
            variables=self.variables,
            options=chosen,
            connect=self.aws.connect,
            find_leftovers=lambda _scope: self.leftovers,
        )

    def save_plan(
        self, *, allow: tuple[str, ...] = (), values: tuple[str, ...] = (), adopt: tuple[str, ...] = ()
    ) -> str:
        """Save a plan with `inv diff --out`, and return its file."""
        file = str(self.root / "plan.json")
        options = diff.Options(out=file, allow=allow, set=values, adopt=adopt)
        diff.diff(self.root, "live", variables=self.variables, options=options, connect=self.aws.connect)
        return file

    def edit(self, path: str, before: str, after: str) -> None:
        text = (self.root / path).read_text()
        assert before in text, f"{path} has no {before}"
        (self.root / path).write_text(text.replace(before, after))

    def change_till(self, text: str = "# changed\n") -> None:
        """Change the code of one function."""
        handler = self.root / "shop/till/handler.py"
        handler.write_text(handler.read_text() + text)

    def change_both(self) -> None:
        """Change the code of a function of each stack."""
        self.change_till()
        self.edit("shop/stock/handler.py", "...", "return 1")

    def sell(self, value: str) -> None:
        """Set the watched parameter of live, which may not become `on`."""
        samconfig = self.root / "samconfig.toml"
        start, _, _ = samconfig.read_text().rpartition("parameter_overrides")
        samconfig.write_text(f'{start}parameter_overrides = ["BaseStack=shop-live-base", "Selling={value}"]\n')

    def answer(self, **answer: object) -> None:
        """Let the next build of the till answer the smoke test like this; without an answer it is healthy."""
        file = self.root / "shop/till/answer.json"
        file.unlink(missing_ok=True)
        if answer:
            file.write_text(json.dumps(answer))

    def ask_for_owner(self, definition: str = OWNER) -> None:
        """Give both templates a parameter that a person is asked for."""
        self.edit(PYPROJECT, 'package = "shop"', 'package = "shop"\nask = ["Owner"]')
        for template in ("base.yaml", "app.yaml"):
            self.edit(template, "Parameters:\n", f"Parameters:\n  Owner: {definition}\n")
        self.edit("base.yaml", "{URL: !Ref Url}", "{URL: !Ref Url, OWNER: !Ref Owner}")
        self.edit("app.yaml", "{COLOUR: !Ref Colour,", "{OWNER: !Ref Owner, COLOUR: !Ref Colour,")

    def owners(self) -> list[str]:
        """Return the parameter Owner of each deployed stack."""
        return [self.aws.stacks.describe(name).parameters["Owner"] for name in STACK_NAMES]

    def add_hooks(self, contracts: object = None) -> None:
        self.edit(PYPROJECT, 'package = "shop"', f'package = "shop"{_HOOKS}')
        write_files(self.root, {"shop_hooks.py": _HOOKS_MODULE, "contracts.json": json.dumps(contracts or {})})

    @property
    def releases(self) -> list[Release]:
        """The releases, the oldest first."""
        return list(reversed(releases.read(self.aws.table)))

    @property
    def history(self) -> list[tuple[str, str, str]]:
        """Kind, status and smoke test of each release, the oldest first."""
        return [(release.kind, str(release.status), str(release.smoke)) for release in self.releases]

    @property
    def till_code(self) -> str:
        """The digest of the code that the till runs."""
        return self.aws.code.function_digest(self.aws.stacks.stacks["shop-live"].physical_ids["Till"])

    def stamp(self, stack: str) -> tuple[str, str]:
        """Return the release and the commit that the template of a stack names."""
        metadata = self.aws.stacks.stacks[stack].content.template["Metadata"]
        return metadata["Release"], metadata["Commit"]

    def take_calls(self) -> list[str]:
        """Return the calls that changed something in CloudFormation since the last time."""
        calls = list(self.aws.stacks.calls)
        self.aws.stacks.calls.clear()
        return calls


def write_json(deployments: ShopDeployments, name: str, value: object) -> None:
    """Write a file that a hook reads."""
    (deployments.root / name).write_text(json.dumps(value))


def is_untouched(deployments: ShopDeployments) -> bool:
    """Return whether neither stacks nor releases were changed, and no change set or lock is left."""
    aws = deployments.aws
    is_executed = any(call.startswith("execute") for call in aws.stacks.calls)
    return not (is_executed or aws.stacks.sets or aws.table.lock or "add" in aws.table.calls)
