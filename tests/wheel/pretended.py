"""Run the command `alchemiser` as if this Linux were another system. Arguments: the system, then the command line.

The flags of the platform say so, what only POSIX has is gone, and fakes stand for what only Windows has. The standard
library and the packages are imported before, because they would look for more of that system.
"""

import concurrent.futures
import ctypes
import errno
import fcntl
import importlib.metadata
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from types import ModuleType
from typing import IO, Any

import invoke.program
import rich.progress
import rich.table
import uv
import yaml

IMPORTED = (concurrent.futures, ctypes, importlib.metadata, multiprocessing, subprocess, tempfile)
PACKAGES = (invoke.program, rich.progress, rich.table, yaml)
POSIX_ONLY = ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")


def lock(file: IO[Any] | int, _mode: int, _count: int) -> None:
    """Lock a file as msvcrt.locking does: a lock that is held is a PermissionError."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as cause:
        raise PermissionError(errno.EACCES, "denied") from cause


def module(name: str, **content: object) -> ModuleType:
    fake = ModuleType(name)
    vars(fake).update(content)
    return fake


def pretend(system: str) -> None:
    """Make this process look as if it ran on `system`."""
    program = uv.find_uv_bin()
    vars(uv)["find_uv_bin"] = lambda: program  # it looks at other places on other systems

    if system == "win32":
        api = module("_winapi", CreateJunction=os.symlink, NeedCurrentDirectoryForExePath=lambda _name: True)
        vars(shutil)["_winapi"] = api
        fakes = {"_winapi": api, "msvcrt": module("msvcrt", LK_NBLCK=2, locking=lock)}
        missing: dict[str, Any] = dict.fromkeys(POSIX_ONLY)  # None refuses an import
        sys.modules.update(missing | fakes)
    sys.platform = system


if __name__ == "__main__":
    pretend(sys.argv[1])
    from automation import program as ours

    ours.program().run(["alchemiser", *sys.argv[2:]])
