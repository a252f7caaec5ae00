"""Make sizes by hand, with names that no real project has."""

from dataclasses import replace

from automation.sizing.model import ArtifactKind, ArtifactSize, FunctionSize, Part, Sizes

MB = 1_000_000


def part(name: str, count: int, version: str = "1.0") -> Part:
    return Part(name, version, count, count // 4, {f"{name}/core.py": count // 2, f"{name}/more": count // 3})


def layer(
    name: str, *parts: Part, budget_bytes: int | None = None, stack: str = "app", sha256: str = ""
) -> ArtifactSize:
    total = sum(part.bytes for part in parts)
    return ArtifactSize(
        ArtifactKind.LAYER, stack, name, total, total // 3, sha256, budget_bytes, parts, "app.yaml", f"layers/{name}"
    )


def function(name: str, *layers: ArtifactSize, own: int = 1_000, budget_bytes: int | None = None) -> FunctionSize:
    parts = (part("(own code)", own, ""),)
    return FunctionSize(
        ArtifactSize(
            ArtifactKind.FUNCTION, "app", name, own, own // 3, "", budget_bytes, parts, "app.yaml", f"functions/{name}"
        ),
        layers,
    )


def till(*parts: Part, budget_bytes: int | None = None) -> Sizes:
    """Make one function with one layer."""
    wheels = layer("Wheels", *parts, budget_bytes=budget_bytes)
    return Sizes((function("Till", wheels),), (wheels,))


def with_stack(sizes: Sizes, stack: str) -> Sizes:
    layers = tuple(replace(layer, stack=stack) for layer in sizes.layers)
    functions = (FunctionSize(replace(function.own, stack=stack), layers) for function in sizes.functions)
    return Sizes(tuple(functions), layers)
