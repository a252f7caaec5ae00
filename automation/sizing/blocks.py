"""Make the treemap's nodes from sizes, and their HTML: artifacts, then distributions, then folders."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from automation.sizing import units
from automation.sizing.model import OWN_CODE, ArtifactSize, Part, Sizes, group_by_content
from automation.sizing.treemap import Rectangle, TreemapNode, squarify

_ASPECT = 1.75
_COLOURS = 10
_SMALL_SHARE = 0.005
_INVISIBLE_SHARE = 0.0004


def treemap_nodes(sizes: Sizes) -> tuple[TreemapNode, ...]:
    """Make one node per distinct artifact, biggest first; those under 0.5 % of the deployment share one node."""
    groups = [group for group in group_by_content(sizes.artifacts) if group[0].bytes]
    total = sum(group[0].bytes for group in groups) or 1
    styles = _styles(group[0] for group in groups)
    nodes = sorted((_artifact(group, sizes, total, styles) for group in groups), key=lambda node: -node.bytes)

    small = tuple(node for node in nodes if node.bytes < _SMALL_SHARE * total)
    if len(small) < 2:
        return tuple(nodes)
    return (*(node for node in nodes if node not in small), _small_artifacts(small, total))


def render_boxes(nodes: Sequence[TreemapNode], *, aspect: float = _ASPECT, level: int = 1) -> str:
    """Render nodes and their children as HTML boxes, positioned in percent of the box around them."""
    rectangles = squarify([node.bytes for node in nodes], aspect=aspect)
    pairs = zip(nodes, rectangles, strict=True)
    return "".join(_box(node, rectangle, aspect=aspect, level=level) for node, rectangle in pairs)


def _artifact(group: tuple[ArtifactSize, ...], sizes: Sizes, total: int, styles: Mapping[str, str]) -> TreemapNode:
    artifact, names = group[0], sizes.labels(group)
    share = units.format_percent(artifact.bytes, total)
    description = f"{names}: {units.format_bytes(artifact.bytes)}, {share} of the deployment, "
    description += f"{units.format_bytes(artifact.zipped_bytes)} zipped"
    least = _INVISIBLE_SHARE * total
    children = tuple(_part(part, artifact.bytes, styles, least) for part in artifact.parts if part.bytes)
    return TreemapNode(names, description, artifact.bytes, children=children)


def _part(part: Part, artifact_bytes: int, styles: Mapping[str, str], least: float) -> TreemapNode:
    share = units.format_percent(part.bytes, artifact_bytes)
    description = f"{part.label}: {units.format_bytes(part.bytes)}, {share} of its artifact"
    if part.bytecode_bytes:
        description += f", {units.format_bytes(part.bytecode_bytes)} of it bytecode"

    shown = {path: count for path, count in part.places.items() if count >= least}
    rest = part.bytes - sum(shown.values())
    if rest and shown:
        shown["other files"] = rest
    style = styles.get(part.name, "tail")
    leaves = [
        TreemapNode(path.rpartition("/")[2], f"{path}: {units.format_bytes(count)}", count, style)
        for path, count in shown.items()
    ]
    leaves.sort(key=lambda leaf: -leaf.bytes)
    return TreemapNode(part.label, description, part.bytes, style, tuple(leaves) if len(leaves) > 1 else ())


def _small_artifacts(small: tuple[TreemapNode, ...], total: int) -> TreemapNode:
    count = sum(node.bytes for node in small)
    name = f"{len(small)} small artifacts"
    description = f"{name}: {units.format_bytes(count)}, {units.format_percent(count, total)} of the deployment"
    children = tuple(TreemapNode(node.name, node.description, node.bytes, "own") for node in small)
    return TreemapNode(name, description, count, children=children)


def _styles(artifacts: Iterable[ArtifactSize]) -> dict[str, str]:
    """Give each of the biggest distributions of the deployment its own colour."""
    totals: dict[str, int] = {}
    for artifact in artifacts:
        for part in artifact.parts:
            if part.is_distribution:
                totals[part.name] = totals.get(part.name, 0) + part.bytes
    biggest = sorted(totals, key=lambda name: (-totals[name], name))[:_COLOURS]
    return {name: f"c{number}" for number, name in enumerate(biggest)} | {OWN_CODE: "own"}


def _box(node: TreemapNode, rectangle: Rectangle, *, aspect: float, level: int) -> str:
    position = (
        f"left:{100 * rectangle.left:.3f}%;top:{100 * rectangle.top:.3f}%;"
        f"width:{100 * rectangle.width:.3f}%;height:{100 * rectangle.height:.3f}%"
    )

    inner = ""
    if node.children:
        shape = max(aspect * rectangle.width / max(rectangle.height, 1e-9), 0.05)
        inner = f'<div class="inner" role="group">{render_boxes(node.children, aspect=shape, level=level + 1)}</div>'

    size = units.format_bytes(node.bytes)
    expanded = ' aria-expanded="true"' if node.children else ""
    return (
        f'<div class="box l{level} {node.style}" role="treeitem" tabindex="-1" aria-level="{level}"{expanded} '
        f'aria-label="{escape(node.description)}" style="{position}"><div class="face">'
        f'<span class="name">{escape(node.name)} <small>{size}</small></span>{inner}</div></div>'
    )
