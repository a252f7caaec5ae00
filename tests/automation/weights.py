"""Sizes made by hand, of names that no project of ours has."""

from dataclasses import replace

from automation.sizing.model import Artifact, FunctionSize, Kind, Part, Sizes

MB = 1_000_000


def part(name: str, count: int, version: str = "1.0") -> Part:
    return Part(name, version, count, count // 4, {f"{name}/core.py": count // 2, f"{name}/more": count // 3})


def layer(name: str, *parts: Part, budget_bytes: int | None = None, stack: str = "app", sha256: str = "") -> Artifact:
    total = sum(one.bytes for one in parts)
    return Artifact(
        Kind.LAYER, stack, name, total, total // 3, sha256, budget_bytes, parts, "app.yaml", f"layers/{name}"
    )


def function(name: str, *layers: Artifact, own: int = 1_000, budget_bytes: int | None = None) -> FunctionSize:
    parts = (part("(own code)", own, ""),)
    return FunctionSize(
        Artifact(Kind.FUNCTION, "app", name, own, own // 3, "", budget_bytes, parts, "app.yaml", f"functions/{name}"),
        layers,
    )


def till(*parts: Part, budget_bytes: int | None = None) -> Sizes:
    """One function over one layer."""
    wheels = layer("Wheels", *parts, budget_bytes=budget_bytes)
    return Sizes((function("Till", wheels),), (wheels,))


def with_stack(sizes: Sizes, stack: str) -> Sizes:
    layers = tuple(replace(one, stack=stack) for one in sizes.layers)
    return Sizes(tuple(FunctionSize(replace(one.own, stack=stack), layers) for one in sizes.functions), layers)
