"""The processor architectures of Lambda, and how this machine's name maps to them."""

import platform

X86_64 = "x86_64"
ARM64 = "arm64"
ARCHITECTURES = (X86_64, ARM64)
LINUX_MACHINES = {X86_64: "x86_64", ARM64: "aarch64"}  # how Linux, and with it the tags of wheels, name them
_BY_MACHINE = {"x86_64": X86_64, "amd64": X86_64, "arm64": ARM64, "aarch64": ARM64}


def from_machine(machine: str) -> str | None:
    """Return Lambda's name of an architecture that `platform.machine()` names; None when Lambda has none."""
    return _BY_MACHINE.get(machine.lower())


def host_architecture() -> str:
    """Return Lambda's name of this machine's architecture; the machine's own name when Lambda has none."""
    machine = platform.machine()
    return from_machine(machine) or machine
