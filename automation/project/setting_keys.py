"""Every key of `[tool.alchemiser]`: what the readers of pyproject.toml accept, and what the reference says about it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from automation.system.errors import ConfigurationError

_HOOKS = "list of functions"
_NAMES = "list of names"


class Key(NamedTuple):
    """A key of a table.

    Attributes:
        kind: the type of its value, for people.
        default: what counts without it, for people; empty when it must be there.
        meaning: one clause.
    """

    name: str
    kind: str
    default: str
    meaning: str


PROJECT = (
    Key("package", "text", "none", "the namespace package that `inv sync` copies from; without it, sync does nothing"),
    Key("stacks", "tables", "one stack", "the stacks, in the order of deployment"),
    Key("budgets", "table", "none", "limits for functions and layers without a limit of their own"),
    Key("environments", "table of tables", "none", "where `--env` deploys to, by name"),
    Key("messages", "`package.module:NAME`", "none", "the message registry that the proof compares the templates with"),
    Key("scaffold", "folder", "none", "what `inv new-function` writes beside the template"),
    Key(
        "tests", "command", "none", "the command of the tests, such as `nox -s tests`, which `inv lock --upgrade` runs"
    ),
    Key("smoke", "table", "none", "the message that each function must answer after a deployment"),
    Key("ask", _NAMES, "none", "the template parameters that `inv deploy` asks for once; no file has their values"),
    Key("recipients", _NAMES, "none", "the template parameters with addresses that mail is sent to"),
    Key("senders", _NAMES, "none", "the template parameters with an address that SES must have verified"),
    Key("secrets", "tables", "none", "what every environment needs in Secrets Manager"),
    Key("watched", "tables", "none", "settings whose changes a deployment plan shows apart"),
    Key("keep_releases", "number", "20", "how many of the newest releases `inv prune` keeps restorable; at least 20"),
    Key("guards", _HOOKS, "none", "stop a deployment, or warn before it"),
    Key("status", _HOOKS, "none", "the product's lines of `inv status`"),
    Key("pause", _HOOKS, "none", "a safe halt when a deployment failed and could not be undone"),
    Key("bootstrap", _HOOKS, "none", "what the product needs once in an account, for `inv bootstrap`"),
    Key("grants", "list of actions", "none", "what these functions call on AWS; the deploy role may do it"),
    Key("contracts", _HOOKS, "none", "the JSON schemas of messages and stored items, by name"),
    Key("samples", _HOOKS, "none", "one message of each kind as its consumers receive it, for `inv invoke`"),
)
STACK = (
    Key("name", "text", "", "its name in messages and in `--stack`"),
    Key("template", "path", "", "its template"),
    Key("build_dir", "folder", "`.aws-sam/build`, for others `.aws-sam/NAME`", "where its artifacts are built"),
    Key("config_env", "text", "`{env}`, for others `{env}-NAME`", "the section of samconfig.toml of an environment"),
)
BUDGETS = (
    Key("function_mb", "number", "no limit", "MB of 1,000,000 bytes that a function's own code may take unzipped"),
    Key("layer_mb", "number", "no limit", "MB that a layer may take unzipped"),
    Key("cold_start_ms", "number", "no limit", "milliseconds that the import of a handler may take"),
)
ENVIRONMENT = (
    Key("region", "text", "", "the region of AWS"),
    Key("consent", "`none`, `confirm` or `word`", "`word`", "what confirms a deployment: nothing, y, or the name"),
    Key("account", "12 digits", "any", "the account that credentials must belong to; `word` needs it"),
    Key("endpoint", "URL", "AWS itself", "where calls go instead; an address of this machine makes it a sandbox"),
    Key("key_id", "text", "the process's", "the id of an access key for the endpoint"),
    Key("secret", "text", "the process's", "the secret of that key; for an emulator only"),
    Key("architecture_parameter", "name", "none", "the template parameter that gets the architecture of this machine"),
    Key(
        "ttl",
        "`12h`, `3d`",
        "none",
        "how long an environment of a pattern, such as `pr-*`, lives; only a pattern has it",
    ),
    Key("parameters", "table", "none", "template parameters that depend on this machine; they override samconfig.toml"),
)
WATCHED = (
    Key("name", "text", "", "its name in plans, such as `kill switch`"),
    Key("parameter", "name", "none", "a template parameter; or `resource` with `property` instead"),
    Key("resource", "text", "none", "a logical id, or a type of resources"),
    Key("property", "text", "none", "the path below Properties, such as `Target.Input`"),
    Key("forbid", "list of values", "none", "the values that a deployment may only set when they are allowed by name"),
)
SECRET = (
    Key("name", "text", "", "`{env}` stands for the environment's name"),
    Key("fields", _NAMES, "plain text", "the fields of its JSON text"),
)
# In the metadata of a function or layer: `Metadata: {Alchemiser: {BudgetMB: 27}}`.
METADATA = (
    Key("BudgetMB", "number", "`function_mb` or `layer_mb`", "MB that the function's own code or the layer may take"),
    Key("ColdStartMs", "number", "`cold_start_ms`", "milliseconds that the import of the handler may take"),
    Key("Bytecode", "true or false", "true", "whether the artifact contains bytecode; without it, it is smaller"),
)
TABLES: Mapping[str, tuple[Key, ...]] = {
    "[tool.alchemiser]": PROJECT,
    "[[tool.alchemiser.stacks]]": STACK,
    "[tool.alchemiser.budgets]": BUDGETS,
    "[tool.alchemiser.environments.NAME]": ENVIRONMENT,
    "[[tool.alchemiser.watched]]": WATCHED,
    "[[tool.alchemiser.secrets]]": SECRET,
}


def names(keys: tuple[Key, ...]) -> frozenset[str]:
    """Return the names of the keys of a table."""
    return frozenset(key.name for key in keys)


def require_known(table: Mapping[str, Any], keys: tuple[Key, ...], *, where: str) -> None:
    """Check that a table has no other keys: a misspelt guard would guard nothing.

    Raises:
        ConfigurationError: it has one; the message names the nearest key, otherwise all.
    """
    known = sorted(names(keys))
    for name in table:
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - only a misspelt key needs it

            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
            raise ConfigurationError(f"unknown key {name}; {hint}", where=where)
