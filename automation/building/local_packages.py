"""Copy the folders that requirements name, so that building them leaves nothing behind in the project.

setuptools writes `build/` and `*.egg-info` into the folder that it builds, and takes deleted modules from an old
`build/` into a new wheel. Two artifacts that name one folder would also build it at the same time.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from automation.building import dependencies


def copy(folders: Iterable[Path], target: Path) -> Mapping[Path, Path]:
    """Copy folders below `target`, side by side as they are, so that their relative paths to each other still hold.

    Returns:
        The copy of each folder.
    """
    wanted = [folder.resolve() for folder in folders]
    if not wanted:
        return {}
    common = Path(os.path.commonpath([folder.parent for folder in wanted]))
    copies = {folder: target / "packages" / folder.relative_to(common) for folder in wanted}
    for folder, place in copies.items():
        place.mkdir(parents=True, exist_ok=True)
        for file in dependencies.files_of(folder):
            path = place / file.relative_to(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, path)
    return copies
