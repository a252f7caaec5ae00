"""Faults of the built artifacts."""

import py_compile
from functools import partial
from pathlib import Path

from automation.project.model import LAMBDA_LIMIT_BYTES
from tests.faults import elves
from tests.faults.bakery import APP_BUILD, ARM64, EXTENSION, FLOUR, change, elf, install, put
from tests.faults.model import PlantedFault

SECOND = """
  Second:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/second/, CompatibleRuntimes: [python3.12], PublishLambdaVersion: true}
    Metadata: {BuildMethod: python3.12}
  TillInbox:
"""


def add_second_layer(root: Path, *, order: str = "!Ref Common, !Ref Flour, !Ref Second") -> Path:
    """Give Till a third layer with one empty module, and return its folder."""
    change(root, "app.yaml", "\n  TillInbox:\n", SECOND)
    change(root, "app.yaml", "!Ref Common, !Ref Flour", order)
    put(root / "layers" / "second" / "second.py", "")
    return root / "layers" / "second"


def _lift_content_uri(root: Path) -> None:
    change(root, "app.yaml", "ContentUri: layers/common/python/", "ContentUri: layers/common/")


def _lose_extension(root: Path) -> None:
    (root / FLOUR / EXTENSION).unlink()


def _swap_machine(root: Path, head: bytes) -> None:
    put(root / FLOUR / EXTENSION, head)


def _rename_extension(root: Path, name: str) -> None:
    path = root / FLOUR / EXTENSION
    path.rename(path.with_name(name))


def _retag(root: Path, tag: str) -> None:
    change(root, f"{FLOUR}/flourish-1.2.0.dist-info/WHEEL", "cp312-cp312-manylinux_2_17_x86_64", tag)


def _retag_untagged(root: Path) -> None:
    """Make the wheel one of another Python, whose compiled module has no tag in its name."""
    _rename_extension(root, "_mill.so")
    change(root, f"{FLOUR}/flourish-1.2.0.dist-info/RECORD", EXTENSION, "flourish/_mill.so")
    _retag(root, "cp311-cp311-manylinux_2_17_x86_64")


def _ask_for_new_glibc(root: Path) -> None:
    _retag(root, "cp312-cp312-linux_x86_64")
    put(root / FLOUR / EXTENSION, elves.shared_object(versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.38"]}))


def _need_cpp(root: Path, version: str) -> None:
    put(root / FLOUR / EXTENSION, elves.shared_object(versions={"libstdc++.so.6": [version]}))


def _need_library(root: Path, library: str, runpath: str = "") -> None:
    """Let the compiled module need a library, which the project's own code imports."""
    put(root / FLOUR / EXTENSION, elves.shared_object([library], runpath=runpath))


def _second_version(root: Path) -> None:
    install(add_second_layer(root), "flourish", "1.3.0", {"flourish/__init__.py": "NAME = 'rye'\n"})


def _same_path_other_bytes(root: Path) -> None:
    put(add_second_layer(root) / "scales.py", "GRAMS = 1\n")
    put(root / "layers" / "flour" / "scales.py", "GRAMS = 1000\n")


def _hide_own_module(root: Path) -> None:
    second = add_second_layer(root)
    install(
        second,
        "bakery-extras",
        "0.1",
        {"bakery/common/messages.py": "class LoafBaked: ...\nclass ReceiptWanted: ...\n"},
    )
    (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text().replace("messages =", "# messages ="))


def _ship(root: Path, names: tuple[str, ...], version: str = "1.43.0") -> None:
    for name in names:
        install(root / FLOUR, name, version, {f"{name}/__init__.py": "def client(name): ...\n"})


def _grow(root: Path) -> None:
    with (root / FLOUR / "flourish" / "weights.bin").open("wb") as file:
        file.truncate(LAMBDA_LIMIT_BYTES)


def _edit_under_bytecode(root: Path) -> None:
    put(
        root / APP_BUILD / "Till" / "bakery" / "till" / "handler.py",
        (root / "bakery/till/handler.py").read_text() + "\n",
    )


def _time_bytecode(root: Path) -> None:
    source = root / FLOUR / "flourish" / "__init__.py"
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)


def _orphan_bytecode(root: Path) -> None:
    (root / FLOUR / "scales.py").write_text("")
    py_compile.compile(str(root / FLOUR / "scales.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    (root / FLOUR / "scales.py").unlink()


def _link(root: Path, target: str) -> None:
    (root / FLOUR / "flourish" / "grains.txt").symlink_to(target)


_after = partial(PlantedFault, after_build=True)

FAULTS: tuple[PlantedFault, ...] = (
    PlantedFault("double-nesting", "ContentUri names the folder above python/", _lift_content_uri),
    _after("wrong-machine", "a compiled module for arm64", partial(_swap_machine, head=elf(ARM64))),
    _after("wrong-machine", "a compiled module for macOS", partial(_swap_machine, head=bytes.fromhex("cffaedfe"))),
    _after("wrong-machine", "a compiled module for Windows", partial(_swap_machine, head=b"MZ")),
    _after("wrong-machine", "an empty compiled module", partial(_swap_machine, head=b"")),
    _after(
        "wrong-python",
        "a compiled module for Python 3.11",
        partial(_rename_extension, name="_mill.cpython-311-x86_64-linux-gnu.so"),
    ),
    _after("wrong-python", "a wheel for Python 3.11, by its tag only", _retag_untagged),
    _after("wrong-libc", "a wheel for musl", partial(_retag, tag="cp312-cp312-musllinux_1_2_x86_64")),
    _after("wrong-libc", "a wheel for glibc 2.39", partial(_retag, tag="cp312-cp312-manylinux_2_39_x86_64")),
    _after(
        "wrong-libc",
        "a compiled module that only a musl Python looks for",
        partial(_rename_extension, name="_mill.cpython-312-x86_64-linux-musl.so"),
    ),
    _after("wrong-libc", "a wheel built on a newer Linux", _ask_for_new_glibc),
    _after(
        "wrong-libc",
        "a compiled module for the C++ library of a newer compiler",
        partial(_need_cpp, version="GLIBCXX_3.4.99"),
    ),
    _after("missing-library", "a compiled module that needs libexpat", partial(_need_library, library="libexpat.so.1")),
    _after("missing-library", "a library in no list of the runtime's", partial(_need_library, library="libbran.so.7")),
    _after("missing-extension", "a compiled module removed from a layer", _lose_extension),
    PlantedFault("layer-conflict", "a second version of a distribution in another layer", _second_version),
    PlantedFault("layer-conflict", "one path with different bytes in two layers", _same_path_other_bytes),
    PlantedFault("layer-order", "a dependency's module at the path of the project's own", _hide_own_module),
    _after("partial-sdk", "a urllib3 that is too new", partial(_ship, names=("urllib3",), version="3.0.0")),
    _after("partial-sdk", "only s3transfer in a layer", partial(_ship, names=("s3transfer",))),
    _after("partial-sdk", "an old botocore without boto3", partial(_ship, names=("botocore",), version="1.29.54")),
    _after("runtime-duplicate", "the whole SDK in a layer", partial(_ship, names=("boto3", "botocore", "s3transfer"))),
    _after("too-large", "a data file that puts the function over the limit", _grow),
    _after("stale-bytecode", "a module edited after it was compiled", _edit_under_bytecode),
    _after("stale-bytecode", "bytecode that is checked by its source's time", _time_bytecode),
    _after("stale-bytecode", "bytecode without its source", _orphan_bytecode),
    _after("symlink-outside", "an absolute link", partial(_link, target="/etc/hostname")),
    _after("symlink-outside", "a link out of the tree", partial(_link, target="../../../../../app.yaml")),
    _after("symlink-outside", "a link to nothing", partial(_link, target="wheat.txt")),
)
