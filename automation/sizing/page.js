"use strict";
const tree = document.getElementById("tree");
const description = document.getElementById("description");
const boxes = [...tree.querySelectorAll(".box")];
const parentOf = (box) => box.parentElement.closest(".box");
const childrenOf = (box) => [...(box ? box.querySelectorAll(":scope > .face > .inner > .box") : tree.children)];
const visible = (box) => box && box.getClientRects().length > 0;

function describe(box) {
  const path = [];
  for (let outer = parentOf(box); outer; outer = parentOf(outer)) {
    path.unshift(outer.querySelector(".name").firstChild.data.trim());
  }
  description.textContent = [...path, box.getAttribute("aria-label")].join(" › ");
  const name = box.classList.contains("l2") ? box.querySelector(".name").firstChild.data : null;
  for (const candidate of boxes) {
    const isDistribution = candidate.classList.contains("l2");
    const same = name !== null && isDistribution && candidate.querySelector(".name").firstChild.data === name;
    candidate.classList.toggle("same", same);
  }
}

function focusOn(box) {
  if (!visible(box)) return;
  for (const candidate of boxes) candidate.tabIndex = -1;
  box.tabIndex = 0;
  box.focus();
  describe(box); // a page in the background gets no focus events
}

function zoom(box) {
  const zoomed = tree.querySelector(".zoomed");
  if (zoomed) zoomed.classList.remove("zoomed");
  if (box && box !== zoomed) box.classList.add("zoomed");
}

function outermost(box) {
  while (parentOf(box)) box = parentOf(box);
  return box;
}

tree.addEventListener("mouseover", (event) => {
  const box = event.target.closest(".box");
  if (box) describe(box);
});
tree.addEventListener("focusin", (event) => {
  if (event.target.matches(".box")) describe(event.target);
});
tree.addEventListener("click", (event) => {
  const box = event.target.closest(".box");
  if (box) zoom(outermost(box));
});
tree.addEventListener("keydown", (event) => {
  const box = event.target.closest(".box");
  if (!box) return;
  const level = childrenOf(parentOf(box)).filter(visible);
  const here = level.indexOf(box);
  const moves = {
    ArrowRight: () => focusOn(level[here + 1]),
    ArrowLeft: () => focusOn(level[here - 1]),
    ArrowDown: () => focusOn(childrenOf(box)[0]),
    ArrowUp: () => focusOn(parentOf(box)),
    Home: () => focusOn(level[0]),
    End: () => focusOn(level[level.length - 1]),
    Enter: () => zoom(outermost(box)),
    " ": () => zoom(outermost(box)),
    Escape: () => { zoom(null); focusOn(outermost(box)); },
  };
  if (!(event.key in moves)) return;
  event.preventDefault();
  moves[event.key]();
});
if (boxes.length) boxes[0].tabIndex = 0;

const sortKey = (row, column) => {
  const cell = row.cells[column];
  const data = cell.querySelector("data");
  return data ? Number(data.value) : cell.textContent;
};

for (const table of document.querySelectorAll("table")) {
  if (table.querySelector(".lead")) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const isDescending = head.getAttribute("aria-sort") !== "descending";
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [x, y] = [sortKey(a, column), sortKey(b, column)];
        return typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      });
      for (const sibling of heads) sibling.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
      table.tBodies[0].append(...(isDescending ? rows.reverse() : rows));
    });
    head.replaceChildren(button);
  });
}
