"""A copy of this project to build in, so that nobody's own build is touched."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from automation.project import model
from automation.system import sam
from benchmarks.timing import command

ROOT = Path(__file__).resolve().parent.parent
STACKS = {stack.name: stack.template.path for stack in model.load(ROOT).stacks}


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files that git knows, and a folder for SAM to work in."""

    path: Path
    sam_work: Path

    def inv(self, *words: str) -> str:
        """Run a task in it, with this environment's Invoke; what it printed on stdout."""
        return command([Path(sys.executable).parent / "inv", *words], cwd=self.path)

    def forget_ours(self) -> None:
        for name in (".aws-sam", ".alchemiser"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def forget_sams(self) -> None:
        shutil.rmtree(self.sam_work, ignore_errors=True)

    def build_with_sam(self) -> None:
        """`sam build --cached --parallel` of every stack, each in a folder of its own: SAM keeps its cache by place."""
        program = sam.ensure(ROOT)
        path = f"{program.parent}:/usr/bin:/bin"
        for name, template in STACKS.items():
            work = self.sam_work / name
            work.mkdir(parents=True, exist_ok=True)
            argv: list[str | Path] = [
                program,
                "build",
                "--template-file",
                self.path / template,
                "--base-dir",
                self.path,
                "--cached",
            ]
            argv += ["--parallel", "--build-dir", work / "out", "--cache-dir", work / "cache"]
            command(argv, cwd=work, variables={"PATH": path, "SAM_CLI_TELEMETRY": "0"})

    def edit_shared(self) -> None:
        """Change one file of the shared code, and copy it to where SAM builds from."""
        with (self.path / "the_alchemiser/shared/ledger/lots.py").open("a") as file:
            file.write("# changed\n")


@contextmanager
def checked_out() -> Iterator[Checkout]:
    """A fresh copy in a temporary folder; the tools' environments are shared with it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "project"
        for name in filter(None, listed.split("\0")):
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        sam.ensure(ROOT)
        (path / ".tools").symlink_to(ROOT / ".tools")
        yield Checkout(path, Path(folder) / "sam")
