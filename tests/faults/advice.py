"""What a person does who follows the advice of a fault literally; at least one planted fault of each rule."""

import shutil
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.faults import elves
from tests.faults.bakery import APP_BUILD, BASE_BUILD, FLOUR, change, install, make, put
from tests.faults.code_faults import OVEN

HYMN = f"HYMN: {'la' * 2500}"
SHOP_NAME = "SHOP_NAME: The Corner Bakery"


@dataclass(frozen=True, slots=True)
class FollowedAdvice:
    """The advice of one planted fault.

    Attributes:
        title: the title of the planted fault.
        advice: what the fix of its finding says.
        follow: does that to the project at a root; it builds, if the advice says so.
    """

    rule: str
    title: str
    advice: str
    follow: Callable[[Path], None]


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        change(root, name, old, new)
        make(root)

    return edit


def _build_by_force(root: Path) -> None:
    shutil.rmtree(root / ".aws-sam")
    make(root)


def _remove(root: Path, *names: str) -> None:
    """Remove files and folders of a tree whose distributions stand in no file that a build reads."""
    for name in names:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _remove_distributions(root: Path, *names: str) -> None:
    for name in names:
        _remove(root, f"{FLOUR}/{name}", *(str(path.relative_to(root)) for path in (root / FLOUR).glob(f"{name}-*")))


def _take_another_urllib3(root: Path) -> None:
    _remove_distributions(root, "urllib3")
    install(root / FLOUR, "urllib3", "2.5.0", {"urllib3/new.py": ""})
    without_bytecode = shutil.ignore_patterns("__pycache__")
    package = Path(urllib3.__file__).parent
    shutil.copytree(package, root / FLOUR / "urllib3", ignore=without_bytecode, dirs_exist_ok=True)


def _move_to_a_common_layer(root: Path) -> None:
    put(root / "bakery/common/receipts.py", "LINES = 3\n")
    _edit(OVEN, "import bakery.till.handler", "import bakery.common.receipts")(root)


def _mount_a_layer_with_pandas(root: Path) -> None:
    layer = "  Pandas:\n    Type: AWS::Serverless::LayerVersion\n    Properties: {ContentUri: layers/pandas/}\n"
    change(root, "base.yaml", "\n  OvenInbox:\n", f"\n{layer}    Metadata: {{BuildMethod: python3.12}}\n  OvenInbox:\n")
    install(root / "layers/pandas", "pandas", "2.2", {"pandas/__init__.py": ""})
    _edit("base.yaml", "Layers: [!Ref Common]", "Layers: [!Ref Common, !Ref Pandas]")(root)


def _rename_the_queue(root: Path) -> None:
    (root / "layers/flour/queue.py").rename(root / "layers/flour/shelves.py")
    make(root)


def _lock_the_same_version(root: Path) -> None:
    shutil.rmtree(root / "layers/second")
    shutil.copytree(root / "layers/flour", root / "layers/second")
    make(root)


def _remove_the_extras(root: Path) -> None:
    _remove(root, "layers/second/bakery", "layers/second/bakery-extras-0.1.dist-info")
    make(root)


def _replace_the_link(root: Path) -> None:
    _remove(root, f"{FLOUR}/flourish/grains.txt")
    put(root / FLOUR / "flourish/grains.txt", "spelt\n")


def _build_the_layer(root: Path) -> None:
    """The template names the method already; the planted tree is one that was built without it."""
    _build_by_force(root)


def _put_a_library_that_loads(root: Path) -> None:
    extensions = Path(str(sysconfig.get_config_var("DESTSHARED"))).glob("_json.*.so")
    put(root / BASE_BUILD / "Oven/lib/libexpat.so.1", next(extensions).read_bytes())


def _merge_layers(root: Path) -> None:
    for name in ("C", "D"):
        (root / f"layers/{name}/{name.lower()}.py").rename(root / f"layers/B/{name.lower()}.py")
        change(root, "app.yaml", f", !Ref {name}", "")
        put(root / f"layers/{name}/empty.py", "")
    _forget_layers(root, "C", "D")


def _forget_layers(root: Path, *names: str) -> None:
    for name in names:
        text = (root / "app.yaml").read_text()
        start = text.index(f"\n  {name}:\n")
        put(root / "app.yaml", text[:start] + text[text.index("{BuildMethod: python3.12}\n", start) + 26 :])
    make(root)


def _wait_for_the_right_message(root: Path) -> None:
    _edit("app.yaml", "[BreadBaked]", "[LoafBaked]")(root)


ADVICE: tuple[FollowedAdvice, ...] = (
    FollowedAdvice(
        "import-fails",
        "a name that its module does not define",
        "correct the name: json does not define it",
        _edit(OVEN, "from json import dumpz", "from json import dumps"),
    ),
    FollowedAdvice(
        "handler-missing",
        "a typo in the function's name",
        "correct Handler, or define it; did you mean main?",
        _edit("app.yaml", "till.handler.mian", "till.handler.main"),
    ),
    FollowedAdvice(
        "handler-not-callable",
        "a value instead of a function",
        "name a function of two parameters, event and context",
        _edit(OVEN, "main = {}\n", ""),
    ),
    FollowedAdvice(
        "sibling-import",
        "another function's module, at import",
        "move the code that both need to a layer that both mount",
        _move_to_a_common_layer,
    ),
    FollowedAdvice(
        "undeclared-import",
        "a distribution that no layer has",
        "mount a layer that has pandas",
        _mount_a_layer_with_pandas,
    ),
    FollowedAdvice("stdlib-shadowing", "a queue.py at the root of a layer", "rename it", _rename_the_queue),
    FollowedAdvice(
        "namespace-shadowing",
        "an __init__.py at the root of a package that is split over trees",
        f"remove {APP_BUILD}/Common/python/bakery/__init__.py",
        lambda root: _remove(root, f"{APP_BUILD}/Common/python/bakery/__init__.py"),
    ),
    FollowedAdvice(
        "variable-unset",
        "a variable removed from Globals",
        "add SHOP_NAME to Environment: Variables of Till in app.yaml",
        _edit("app.yaml", "STORE_NAME: The Corner Bakery", f"STORE_NAME: none, {SHOP_NAME}"),
    ),
    FollowedAdvice(
        "variable-unset",
        "a variable read in the handler",
        "or read it with a default",
        _edit(OVEN, "os.environ['OVEN_DEGREES']", "os.environ.get('OVEN_DEGREES', '220')"),
    ),
    FollowedAdvice(
        "data-file-absent",
        "a file deleted from the built tree",
        "bakery/till/receipt.txt exists, but the build left it out: run inv build --force",
        _build_by_force,
    ),
    FollowedAdvice(
        "double-nesting",
        "ContentUri names the folder above python/",
        "change it to ContentUri: layers/common/python/",
        _edit("app.yaml", "ContentUri: layers/common/\n", "ContentUri: layers/common/python/\n"),
    ),
    FollowedAdvice("wrong-machine", "a compiled module for arm64", "run inv build", make),
    FollowedAdvice("wrong-python", "a compiled module for Python 3.11", "run inv build", make),
    FollowedAdvice("wrong-libc", "a wheel for musl", "run inv build", make),
    FollowedAdvice(
        "missing-library",
        "a compiled module that needs libexpat",
        "put libexpat.so.1 for x86_64 into functions/till/lib/",
        lambda root: put(root / APP_BUILD / "Till/lib/libexpat.so.1", elves.shared_object(soname="libexpat.so.1")),
    ),
    FollowedAdvice(
        "library-not-loadable",
        "libexpat, loaded at import",
        "put libexpat.so.1 for x86_64 into functions/oven/lib/",
        _put_a_library_that_loads,
    ),
    FollowedAdvice(
        "program-not-runnable",
        "a program that no artifact has",
        "add the program to the sources, or correct the path",
        _edit(OVEN, "['/opt/bin/knead']", "['/usr/bin/env']"),
    ),
    FollowedAdvice(
        "missing-extension", "a compiled module removed from a layer", "run inv build --force", _build_by_force
    ),
    FollowedAdvice(
        "layer-conflict",
        "a second version of a distribution in another layer",
        "lock the same version in layers/flour, layers/second",
        _lock_the_same_version,
    ),
    FollowedAdvice(
        "layer-order",
        "a dependency's module at the path of the project's own",
        "or delete bakery and its .dist-info from layers/second, and run inv build",
        _remove_the_extras,
    ),
    FollowedAdvice(
        "partial-sdk",
        "a urllib3 that is too new",
        "require urllib3!=2.2.0,<3,>=1.25.4 in layers/flour/requirements.txt",
        _take_another_urllib3,
    ),
    FollowedAdvice(
        "partial-sdk",
        "an old botocore without boto3",
        "remove botocore from layers/flour/requirements.txt",
        lambda root: _remove_distributions(root, "botocore"),
    ),
    FollowedAdvice(
        "runtime-duplicate",
        "the whole SDK in a layer",
        "remove boto3, botocore and s3transfer from layers/flour/requirements.txt",
        lambda root: _remove_distributions(root, "boto3", "botocore", "s3transfer"),
    ),
    FollowedAdvice(
        "too-large",
        "a data file that puts the function over the limit",
        "remove a requirement, or split the function",
        lambda root: _remove(root, f"{FLOUR}/flourish/weights.bin"),
    ),
    FollowedAdvice("stale-bytecode", "a module edited after it was compiled", "run inv build --force", _build_by_force),
    FollowedAdvice("symlink-outside", "an absolute link", "replace the link with the file itself", _replace_the_link),
    FollowedAdvice("too-many-layers", "six layers", "merge layers", _merge_layers),
    FollowedAdvice(
        "layer-not-mounted",
        "a layer that no function mounts",
        "remove it, or name it in Layers",
        _edit("app.yaml", "!Ref Flour]", "!Ref Flour, !Ref Spare]"),
    ),
    FollowedAdvice(
        "layer-reference",
        "a queue among the layers",
        "remove TillInbox from Layers",
        _edit("app.yaml", ", !Ref TillInbox]", "]"),
    ),
    FollowedAdvice(
        "layer-unbuilt",
        "a layer without BuildMethod and without python/",
        "add Metadata: {BuildMethod: python3.12} and run inv build",
        _build_the_layer,
    ),
    FollowedAdvice(
        "runtime-mismatch",
        "a layer that is only compatible with arm64",
        "put x86_64 first in CompatibleArchitectures",
        _edit("app.yaml", "CompatibleArchitectures: [arm64]", "CompatibleArchitectures: [x86_64, arm64]"),
    ),
    FollowedAdvice(
        "stale-alias",
        "AutoPublishAliasAllProperties not set",
        "set AutoPublishAliasAllProperties: true in Till",
        _edit("app.yaml", "MemorySize: 256", "AutoPublishAliasAllProperties: true"),
    ),
    FollowedAdvice(
        "layer-undecided",
        "a parameter that chooses between two layers with the same module",
        "give the parameter Sugar a value in samconfig.toml, or a Default, and run inv build",
        _edit("app.yaml", "Sugar: {Type: String}", "Sugar: {Type: String, Default: white}"),
    ),
    FollowedAdvice(
        "runtime-unavailable",
        "a runtime that Lambda creates no function with",
        "set Runtime to a later Python, up to python3.14",
        _edit("base.yaml", "Runtime: python3.7\n", "Runtime: python3.12\n"),
    ),
    FollowedAdvice(
        "environment-too-large",
        "a variable of 5 KB",
        "move the largest to SSM or S3: HYMN",
        _edit("app.yaml", HYMN, "HYMN_PARAMETER: /bakery/hymn"),
    ),
    FollowedAdvice(
        "variable-reserved",
        "AWS_REGION set",
        "remove or rename it",
        _edit("app.yaml", ", AWS_REGION: eu-west-1", ", REGION: eu-west-1"),
    ),
    FollowedAdvice(
        "timeout-over-visibility",
        "a timeout of 60 s",
        "set VisibilityTimeout of TillInbox to at least 60",
        _edit("app.yaml", "VisibilityS: {Type: Number, Default: 30}", "VisibilityS: {Type: Number, Default: 60}"),
    ),
    FollowedAdvice(
        "message-unrouted",
        "a rule for an old name",
        "add it as detail-type to a rule with source bakery whose target is TillInbox",
        _wait_for_the_right_message,
    ),
    FollowedAdvice(
        "rule-unknown-message",
        "a rule for a message that is never sent",
        "correct the detail-type, or remove the rule",
        _edit("app.yaml", "[LoafBaked, LoafBurnt]", "[LoafBaked]"),
    ),
)
