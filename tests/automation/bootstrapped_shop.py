"""The small project, and the account that `inv bootstrap` prepares for it."""

import json
from dataclasses import dataclass, field
from typing import Any

from automation import bootstrap
from automation.project.settings import PYPROJECT
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.bootstrapping.fake_providers import FakeProviders
from tests.automation.projects import write_files

STACK = "bootstrap-shop-live"
CREATED = [f"create {STACK}", f"execute {STACK}", f"protect {STACK}"]
ANN = "ann@shop.test"
SUBSCRIPTION = "Bell: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: !Ref Owner}]}}"
HOOK = """
import json
from pathlib import Path


def prepare(context):
    shop, done = Path("prepared.json"), Path("prepared")
    if context["applies"]:
        done.touch()
    state, what = ("done", "hangs") if done.exists() else ("due", "hang it")
    step = {"state": state, "where": "sign", "what": what}
    return json.loads(shop.read_text()) if shop.exists() else [step]
"""


@dataclass
class Bootstraps:
    """The command, with an account that it prepares."""

    shop: ShopDeployments
    providers: FakeProviders = field(default_factory=FakeProviders)

    def run(self, env: str = "live", **options: Any) -> int:
        """Prepare the account, confirmed in advance unless `options` say otherwise."""
        chosen = bootstrap.Options(**{"repository": "octocat/shop", "yes": True, **options})
        return bootstrap.bootstrap(
            self.shop.root,
            env,
            variables=self.shop.variables,
            options=chosen,
            connect=self.shop.aws.connect,
            connect_providers=lambda _scope: self.providers,
        )

    def outputs(self) -> dict[str, str]:
        return dict(self.shop.aws.stacks.describe(STACK).outputs)

    def resources(self) -> dict[str, Any]:
        return dict(self.shop.aws.stacks.stacks[STACK].content.resources)

    def parts(self) -> list[str]:
        """Return the resources of the stack, apart from the policies."""
        return sorted(name for name in self.resources() if not name.startswith(("DeployPolicy", "PlanPolicy")))

    def add_hook(self) -> None:
        self.shop.edit(PYPROJECT, 'package = "shop"', 'package = "shop"\nbootstrap = ["shop_steps:prepare"]')
        write_files(self.shop.root, {"shop_steps.py": HOOK})

    def name_no_bucket(self) -> None:
        """Let samconfig.toml name no bucket."""
        samconfig = self.shop.root / "samconfig.toml"
        samconfig.write_text(samconfig.read_text().replace('s3_bucket = "shop-artifacts"\n', ""))

    def answer(self, *steps: object) -> None:
        """Let the hook return this."""
        (self.shop.root / "prepared.json").write_text(json.dumps(steps))
