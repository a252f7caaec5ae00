"""Copy this project to a temporary folder and build there, so that the real build stays untouched."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from automation.project import model
from automation.system import sam
from benchmarks.timing import run_command, set_aside

ROOT = Path(__file__).resolve().parent.parent
STACKS = {stack.name: stack.template.path for stack in model.load(ROOT).stacks}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the project.

    Attributes:
        path: the folder with every file that git tracks or would track.
        sam_work: the folder where SAM builds.
        aside: the folder for what the builders forget.
    """

    path: Path
    sam_work: Path
    aside: Path

    def inv(self, *words: str, variables: Mapping[str, str] | None = None) -> str:
        """Run a task in the copy, with this environment's Invoke, and return its stdout."""
        return run_command([Path(sys.executable).parent / "inv", *words], cwd=self.path, variables=variables)

    def forget_ours(self) -> None:
        set_aside(self.path / ".aws-sam", self.path / ".alchemiser", into=self.aside)

    def forget_sams(self) -> None:
        set_aside(self.sam_work, into=self.aside)

    def build_with_sam(self) -> None:
        """Run `sam build --cached --parallel` for every stack.

        Each stack has its own folder: SAM's cache belongs to a folder, and two templates would evict each other's.
        """
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
            run_command(argv, cwd=work, variables={"PATH": path, "SAM_CLI_TELEMETRY": "0"})

    def edit_shared(self) -> None:
        """Change one file of the shared code."""
        with (self.path / "the_alchemiser/shared/ledger/lots.py").open("a") as file:
            file.write("# changed\n")


@contextmanager
def checked_out() -> Iterator[Checkout]:
    """Copy the files of the working copy to a temporary folder; the tools' environments are linked, not copied."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "project"
        for name in listed.split("\0"):
            if not (ROOT / name).is_file():
                continue  # deleted, but not committed yet
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        sam.ensure(ROOT)
        (path / ".tools").symlink_to(ROOT / ".tools")
        yield Checkout(path, Path(folder) / "sam", Path(folder) / "aside")
