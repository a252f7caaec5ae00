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
    if (Array.isArray(value)) return value.length && typeof value[0] === "number" ? value : value.map(resolveColours);
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
    const axes = { xaxis: axis(layout.xaxis, across) };
    for (const name of Object.keys(layout).filter((key) => key.startsWith("yaxis"))) axes[name] = axis(layout[name], up);
    /* Beside a chart on a phone, a legend would leave half of the width. */
    const isNarrow = document.getElementById(id).clientWidth < 560;
    const legend = isNarrow && !layout.legend?.orientation ? { orientation: "h", y: -0.12 } : {};
    /* Traces name their x values by number, because most have the same dates. */
    const drawn = traces.map((trace) => ({ ...trace, x: data.axes[trace.x] }));
    return Plotly.react(id, resolveColours(drawn), {
      hovermode: "x unified", ...layout, ...axes,
      font: text, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 62, r: 12, t: 24, b: 30 },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--rule"), font: { ...text, color: colour("--ink") } },
      legend: { font: text, ...layout.legend, ...legend },
    }, { responsive: true, displayModeBar: false });
  };
  const drawAll = () => Object.keys(data.figures).forEach(draw);
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  /* Rows have the columns of the CSV file; the table shows the newest first. */
  const [DATE, SYMBOL, SIDE, QUANTITY, PRICE, CASH, OUTCOME, REASON] = data.columns.keys();
  const newest = data.trades.map((row, at) => [row, at]).sort(([a, i], [b, j]) => (a[DATE] < b[DATE] ? 1 : a[DATE] > b[DATE] ? -1 : i - j)).map(([row]) => row);
  const signed = (text) => text.replace("-", "\u2212");
  const amount = (text, least, most) => Number(text).toLocaleString("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
  const money = (text, places) => signed(amount(text, places, places)).replace(/[\d]/, (digit) => `$${digit}`);
  const price = (text) => money(text, Number(text).toFixed(4).endsWith("00") ? 2 : 4);
  const isRefused = (row) => row[OUTCOME] === "refused";
  const shown = (row) => [
    row[DATE], row[SYMBOL], row[SIDE], amount(row[QUANTITY], 0, 9), isRefused(row) ? "" : price(row[PRICE]),
    isRefused(row) ? "refused" : money(row[CASH], 2), row[REASON].replace(/^[a-z_]+:/, (code) => code.replaceAll("_", " ")),
  ];

  const body = document.querySelector("#trades tbody");
  const [filter, newer, older, save, count] = ["filter", "newer", "older", "save", "count"].map((id) => document.getElementById(id));
  let first = 0;
  const cell = (row, text, style) => {
    const inserted = row.insertCell();
    inserted.textContent = text;
    inserted.className = style;
  };
  const show = () => {
    const wanted = filter.value.trim().toUpperCase();
    const matches = newest.filter((row) => !wanted || row[SYMBOL].startsWith(wanted) || row[DATE].startsWith(wanted));
    first = Math.max(0, Math.min(first, Math.floor((matches.length - 1) / PAGE) * PAGE));
    body.replaceChildren();
    for (const trade of matches.slice(first, first + PAGE)) {
      const row = body.insertRow();
      const styles = ["", "", `side ${trade[SIDE].toLowerCase()}`, "n", "n", isRefused(trade) ? "n fail" : "n", "soft small"];
      shown(trade).forEach((text, at) => cell(row, text, styles[at]));
    }
    count.textContent = matches.length ? `${first + 1} to ${Math.min(first + PAGE, matches.length)} of ${matches.length.toLocaleString("en-US")}` : "none";
    newer.disabled = first === 0;
    older.disabled = first + PAGE >= matches.length;
  };

  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const saveTrades = () => {
    const lines = [data.columns, ...data.trades].map((row) => row.map(quoted).join(",") + "\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
    link.download = "trades.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  };
  save.addEventListener("click", saveTrades);
  save.disabled = data.trades.length === 0;
  filter.addEventListener("input", () => { first = 0; show(); });
  newer.addEventListener("click", () => { first -= PAGE; show(); });
  older.addEventListener("click", () => { first += PAGE; show(); });
  show();
})();
