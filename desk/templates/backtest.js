"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 50;

  /* "--c0" is a colour of the style sheet; "--c0/0.16" is the same colour with an opacity. */
  const colour = (text) => {
    const [name, opacity] = text.split("/");
    const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    if (!opacity) return value;
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${opacity})`;
  };
  const resolveColours = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return value.length && typeof value[0] !== "object" ? value : value.map(resolveColours);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveColours(item)]));
    }
    return value;
  };
  const axis = (own, more) => ({
    gridcolor: colour("--rule"), zeroline: false, linecolor: colour("--rule"), ticks: "", automargin: true,
    ...more, ...own,
  });

  const draw = (id) => {
    const { traces, layout } = data.figures[id];
    const family = getComputedStyle(document.body).fontFamily;
    const text = { family, size: 13, color: colour("--soft") };
    const across = { showgrid: false, hoverformat: "%A, %-d %B %Y" };
    const up = { zerolinecolor: colour("--soft") };
    const axes = { xaxis: axis(layout.xaxis, across), yaxis: axis(layout.yaxis, up) };
    if (layout.yaxis2) axes.yaxis2 = axis(layout.yaxis2, up);
    return Plotly.react(id, resolveColours(traces), {
      ...layout, ...axes,
      font: text, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 62, r: 12, t: 24, b: 30 }, hovermode: "x unified",
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--rule"), font: { ...text, color: colour("--ink") } },
      legend: { font: text, ...layout.legend },
    }, { responsive: true, displayModeBar: false });
  };
  const drawAll = () => Object.keys(data.figures).forEach(draw);
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  const body = document.querySelector("#trades tbody");
  const [filter, newer, older, count] = ["filter", "newer", "older", "count"].map((id) => document.getElementById(id));
  let first = 0;
  const cell = (row, text, style) => {
    const inserted = row.insertCell();
    inserted.textContent = text;
    inserted.className = style;
  };
  const show = () => {
    const wanted = filter.value.trim().toUpperCase();
    const matches = data.trades.filter((row) => !wanted || row[1].startsWith(wanted) || row[0].startsWith(wanted));
    first = Math.max(0, Math.min(first, Math.floor((matches.length - 1) / PAGE) * PAGE));
    body.replaceChildren();
    for (const trade of matches.slice(first, first + PAGE)) {
      const row = body.insertRow();
      const styles = ["", "", `side ${trade[2].toLowerCase()}`, "n", "n", trade[5] === "refused" ? "n fail" : "n", "soft small"];
      trade.forEach((text, at) => cell(row, text, styles[at]));
    }
    count.textContent = matches.length ? `${first + 1} to ${Math.min(first + PAGE, matches.length)} of ${matches.length.toLocaleString("en-US")}` : "none";
    newer.disabled = first === 0;
    older.disabled = first + PAGE >= matches.length;
  };
  filter.addEventListener("input", () => { first = 0; show(); });
  newer.addEventListener("click", () => { first -= PAGE; show(); });
  older.addEventListener("click", () => { first += PAGE; show(); });
  show();
})();
