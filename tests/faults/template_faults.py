"""Faults in the templates."""

from functools import partial
from pathlib import Path

from tests.faults.bakery import change, put
from tests.faults.model import PlantedFault

LAYER = """
  {name}:
    Type: AWS::Serverless::LayerVersion
    Properties: {{ContentUri: layers/{name}/, CompatibleRuntimes: [python3.12], PublishLambdaVersion: true}}
    Metadata: {{BuildMethod: python3.12}}
"""
EITHER = """
  Sugar: {Type: String}
Conditions:
  IsWhite: !Equals [!Ref Sugar, white]
Globals:
"""
TILL_EVENT = """
      Events:
        Inbox:
          Type: SQS
          Properties: {Queue: !GetAtt TillInbox.Arn}
"""
SHOP_NAME = "Variables: {SHOP_NAME: The Corner Bakery"


def _add_layers(root: Path, *, names: tuple[str, ...], mounted: bool) -> None:
    texts = "".join(LAYER.format(name=name) for name in names)
    change(root, "app.yaml", "\n  TillInbox:\n", f"{texts}\n  TillInbox:\n")
    for name in names:
        put(root / "layers" / name / f"{name.lower()}.py", "")
    if mounted:
        change(root, "app.yaml", "!Ref Flour]", "!Ref Flour, " + ", ".join(f"!Ref {name}" for name in names) + "]")


def _add_either(root: Path) -> None:
    """Mount one of two layers, as a parameter without a value decides."""
    _add_layers(root, names=("White", "Brown"), mounted=False)
    for name in ("White", "Brown"):
        put(root / "layers" / name / "sugar.py", f"KIND = '{name}'\n")
    change(root, "app.yaml", "\nGlobals:\n", EITHER)
    change(root, "app.yaml", "!Ref Flour]", "!Ref Flour, !If [IsWhite, !Ref White, !Ref Brown]]")


def _unbuild(root: Path) -> None:
    """Leave a layer as SAM does without BuildMethod: a copy of its folder."""
    tree = root / ".aws-sam/build/Flour"
    for entry in (tree / "python").iterdir():
        entry.rename(tree / entry.name)
    (tree / "python").rmdir()


def _edit(root: Path, *edits: tuple[str, str], name: str = "app.yaml") -> None:
    for old, new in edits:
        change(root, name, old, new)


def _fault(rule: str, title: str, *edits: tuple[str, str], name: str = "app.yaml") -> PlantedFault:
    """Return a fault that replaces texts of a template."""
    return PlantedFault(rule, title, lambda root: _edit(root, *edits, name=name))


FAULTS: tuple[PlantedFault, ...] = (
    PlantedFault("too-many-layers", "six layers", partial(_add_layers, names=("A", "B", "C", "D"), mounted=True)),
    PlantedFault(
        "layer-not-mounted", "a layer that no function mounts", partial(_add_layers, names=("Spare",), mounted=False)
    ),
    _fault("layer-reference", "a misspelt layer", ("!Ref Flour]", "!Ref Flour, !Ref Flower]")),
    _fault("layer-reference", "a queue among the layers", ("!Ref Flour]", "!Ref Flour, !Ref TillInbox]")),
    PlantedFault("layer-undecided", "a parameter that chooses between two layers with the same module", _add_either),
    PlantedFault("layer-unbuilt", "a layer without BuildMethod and without python/", _unbuild, after_build=True),
    _fault(
        "runtime-mismatch",
        "a layer that is only compatible with another Python",
        (
            "ContentUri: layers/flour/\n      CompatibleRuntimes: [python3.12]",
            "ContentUri: layers/flour/\n      CompatibleRuntimes: [python3.13]",
        ),
    ),
    _fault(
        "runtime-mismatch",
        "a layer that is only compatible with arm64",
        ("CompatibleArchitectures: [x86_64]", "CompatibleArchitectures: [arm64]"),
    ),
    _fault(
        "stale-alias",
        "AutoPublishAliasAllProperties not set",
        ("AutoPublishAliasAllProperties: true", "MemorySize: 256"),
    ),
    _fault(
        "stale-alias",
        "PublishLambdaVersion not set",
        ("CompatibleArchitectures: [x86_64]\n      PublishLambdaVersion: true", "CompatibleArchitectures: [x86_64]"),
    ),
    _fault(
        "stale-alias",
        "a layer outside the template",
        ("!Ref Flour]", "!Ref Flour, !ImportValue sugar-layer]"),
    ),
    _fault(
        "runtime-unavailable",
        "a runtime that Lambda creates no function with",
        ("CodeUri: functions/oven/", "CodeUri: functions/oven/\n      Runtime: python3.7"),
        ("CompatibleRuntimes: [python3.12]", "CompatibleRuntimes: [python3.12, python3.7]"),
        name="base.yaml",
    ),
    _fault("environment-too-large", "a variable of 5 KB", (SHOP_NAME, f"{SHOP_NAME}, HYMN: {'la' * 2500}")),
    _fault("variable-reserved", "AWS_REGION set", (SHOP_NAME, f"{SHOP_NAME}, AWS_REGION: eu-west-1")),
    _fault(
        "timeout-over-visibility",
        "a timeout of 60 s",
        ("TimeoutS: {Type: Number, Default: 20}", "TimeoutS: {Type: Number, Default: 60}"),
    ),
    _fault(
        "timeout-over-visibility",
        "a queue with the default visibility timeout",
        ("Timeout: 20", "Timeout: 31"),
        ("Properties: {VisibilityTimeout: 30}", "Properties: {}"),
        name="base.yaml",
    ),
    _fault("message-unrouted", "a rule for an old name", ("[LoafBaked]", "[BreadBaked]")),
    _fault("message-unrouted", "a rule for another source", ("source: [bakery]", "source: [Bakery]")),
    _fault(
        "message-unrouted",
        "a rule to another queue",
        ("!GetAtt OvenInbox.Arn}]", "!GetAtt Bus.Arn}]"),
        name="base.yaml",
    ),
    _fault("message-unrouted", "a disabled rule", ("EventBusName: bakery", "State: DISABLED")),
    _fault("message-unrouted", "a consumer that reads no queue", (TILL_EVENT, "\n")),
    _fault(
        "message-unrouted",
        "a registry that cannot be imported",
        ("messages:REGISTRY", "letters:REGISTRY"),
        name="pyproject.toml",
    ),
    _fault(
        "message-unrouted",
        "a consumer that is not a function",
        ('("oven",)),\n    LoafBaked', '("ovens",)),\n    LoafBaked'),
        name="bakery/common/messages.py",
    ),
    _fault(
        "message-unrouted",
        "a message without a consumer",
        ('("oven",), ("till",)),', '("oven",), ()),'),
        name="bakery/common/messages.py",
    ),
    _fault(
        "rule-unknown-message", "a rule for a message that is never sent", ("[LoafBaked]", "[LoafBaked, LoafBurnt]")
    ),
)
