"""Sizes -> the treemap's nodes and their HTML: artifact, distribution, folders."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from automation.sizing import units
from automation.sizing.model import OWN, Artifact, Part, Sizes, alike
from automation.sizing.treemap import Node, Rectangle, squarify

_ASPECT = 1.75
_COLOURS = 10
_SMALL = 0.005
_SPECK = 0.0004


def nodes(sizes: Sizes) -> tuple[Node, ...]:
    """One node for each content that is uploaded, biggest first; those of under 0.5 % are gathered in one."""
    groups = [group for group in alike(sizes.artifacts) if group[0].bytes]
    whole = sum(group[0].bytes for group in groups) or 1
    styles = _styles(group[0] for group in groups)
    made = sorted((_artifact(group, sizes, whole, styles) for group in groups), key=lambda one: -one.bytes)
    small = tuple(one for one in made if one.bytes < _SMALL * whole)
    if len(small) < 2:
        return tuple(made)
    return (*(one for one in made if one not in small), _gathered(small, whole))


def html(found: Sequence[Node], *, aspect: float = _ASPECT, level: int = 1) -> str:
    """The boxes of these nodes, each with those of its children, placed in percent of what holds them."""
    places = squarify([one.bytes for one in found], aspect=aspect)
    pairs = zip(found, places, strict=True)
    return "".join(_box(one, place, aspect=aspect, level=level) for one, place in pairs)


def _artifact(group: tuple[Artifact, ...], sizes: Sizes, whole: int, styles: Mapping[str, str]) -> Node:
    artifact, names = group[0], ", ".join(sizes.label(one) for one in group)
    told = f"{names}: {units.text(artifact.bytes)}, {units.percent(artifact.bytes, whole)} of the deployment, "
    told += f"{units.text(artifact.zipped_bytes)} zipped"
    speck = _SPECK * whole
    children = tuple(_part(part, artifact.bytes, styles, speck) for part in artifact.parts if part.bytes)
    return Node(names, told, artifact.bytes, children=children)


def _part(part: Part, whole: int, styles: Mapping[str, str], speck: float) -> Node:
    told = f"{part.label}: {units.text(part.bytes)}, {units.percent(part.bytes, whole)} of its artifact"
    told += f", {units.text(part.bytecode_bytes)} of it bytecode" if part.bytecode_bytes else ""
    shown = {name: count for name, count in part.places.items() if count >= speck}
    rest = part.bytes - sum(shown.values())
    if rest and shown:
        shown["other files"] = rest
    style = styles.get(part.name, "tail")
    leaves = [
        Node(name.rpartition("/")[2], f"{name}: {units.text(count)}", count, style) for name, count in shown.items()
    ]
    leaves.sort(key=lambda one: -one.bytes)
    return Node(part.label, told, part.bytes, style, tuple(leaves) if len(leaves) > 1 else ())


def _gathered(small: tuple[Node, ...], whole: int) -> Node:
    total = sum(one.bytes for one in small)
    name = f"{len(small)} small artifacts"
    told = f"{name}: {units.text(total)}, {units.percent(total, whole)} of the deployment"
    return Node(name, told, total, children=tuple(Node(one.name, one.told, one.bytes, "own") for one in small))


def _styles(artifacts: Iterable[Artifact]) -> dict[str, str]:
    """A colour of its own for each of the biggest distributions of the whole deployment."""
    totals: dict[str, int] = {}
    for artifact in artifacts:
        for part in artifact.parts:
            if part.is_distribution:
                totals[part.name] = totals.get(part.name, 0) + part.bytes
    biggest = sorted(totals, key=lambda name: (-totals[name], name))[:_COLOURS]
    return {name: f"c{number}" for number, name in enumerate(biggest)} | {OWN: "own"}


def _box(node: Node, place: Rectangle, *, aspect: float, level: int) -> str:
    at = (
        f"left:{100 * place.left:.3f}%;top:{100 * place.top:.3f}%;"
        f"width:{100 * place.width:.3f}%;height:{100 * place.height:.3f}%"
    )
    inner = ""
    if node.children:
        shape = max(aspect * place.width / max(place.height, 1e-9), 0.05)
        inner = f'<div class="inner" role="group">{html(node.children, aspect=shape, level=level + 1)}</div>'
    expanded = ' aria-expanded="true"' if node.children else ""
    return (
        f'<div class="box l{level} {node.style}" role="treeitem" tabindex="-1" aria-level="{level}"{expanded} '
        f'aria-label="{escape(node.told)}" style="{at}"><div class="face">'
        f'<span class="name">{escape(node.name)} <small>{units.text(node.bytes)}</small></span>{inner}</div></div>'
    )
