"""The small project with temporary environments, `pr-*`."""

from pathlib import Path

from automation.project import model
from automation.project.model import Project
from tests.automation.projects import PYPROJECT, SAMCONFIG, make_shop

TABLE = """
[tool.alchemiser.environments."pr-*"]
region = "eu-west-1"
consent = "none"
ttl = "36h"
"""
SECTIONS = """
["pr-*-base".deploy.parameters]
stack_name = "shop-{env}-base"
s3_bucket = "shop-artifacts"

["pr-*".deploy.parameters]
stack_name = "shop-{env}"
s3_bucket = "shop-artifacts"
parameter_overrides = ["BaseStack=shop-{env}-base"]
tags = {owner = "{env}", team = ["shop", "{env}"], size = 1}
"""


def make_temporary_shop(
    root: Path, table: str = TABLE, sections: str = SECTIONS, samconfig: str = SAMCONFIG
) -> Project:
    return model.load(make_shop(root, pyproject_toml=PYPROJECT + table, samconfig_toml=samconfig + sections))
