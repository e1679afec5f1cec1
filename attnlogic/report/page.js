"use strict";

// Colours: the system's, or those that the reader picks.
const system = matchMedia("(prefers-color-scheme: dark)");
const theme = document.getElementById("theme");
const shownTheme = () =>
  theme.value === "auto" ? (system.matches ? "dark" : "light") : theme.value;

// Tables: a button in each head sorts by its column.
const numberIn = (text) => {
  const found = text.replaceAll("−", "-").replaceAll(",", "").match(/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/i);
  return found ? Number(found[0]) : null;
};

const compared = (a, b) => {
  const [x, y] = [numberIn(a), numberIn(b)];
  if (x !== null && y !== null) return x - y;
  if (x !== null || y !== null) return x !== null ? -1 : 1;
  return a.localeCompare(b);
};

const sortBy = (table, column, descending) => {
  const body = table.tBodies[0];
  const text = (row) => row.cells[column].textContent;
  const empty = (row) => text(row) === "–" || text(row) === "";
  const rows = [...body.rows].sort(
    (a, b) =>
      empty(a) - empty(b) || (descending ? -1 : 1) * compared(text(a), text(b)),
  );
  body.append(...rows);
  for (const [place, head] of [...table.tHead.rows[0].cells].entries()) {
    if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
};

for (const table of document.querySelectorAll("table.sortable")) {
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sorted = head.getAttribute("aria-sort");
      const numeric = head.classList.contains("number");
      sortBy(table, column, sorted ? sorted === "ascending" : numeric);
    });
  }
}

// Print: what is folded is shown.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});

// Runs: one choice, shown in every view and in the table.
const LISTED = 100;

const inDigits = (number) =>
  number !== 0 && Math.abs(number) < 1e-3 ? number.toExponential(2) : String(Number(number.toPrecision(5)));

const linked = (data) => {
  const { columns, conditions, limits } = data;
  const names = Object.keys(columns);
  const runs = columns.seed.map((_, row) =>
    Object.fromEntries(names.map((name) => [name, columns[name][row]])),
  );
  const [condition, low, high, reset, said, body] = [
    "condition", "low", "high", "reset", "said", "chosen",
  ].map((id) => document.getElementById(id));
  const rows = body.tBodies[0];
  let views = [];
  let waiting = false;

  const limit = (field, none) => {
    const text = field.value.trim().replace("−", "-");
    const number = Number(text);
    const wrong = text !== "" && !Number.isFinite(number);
    field.toggleAttribute("aria-invalid", wrong);
    return text === "" || wrong ? none : number;
  };

  const listed = (chosen, command) => {
    const shown = chosen.slice(0, LISTED).map((run) => {
      const row = document.createElement("tr");
      const cells = [
        run.seed, run.status, run.hit ?? "–", inDigits(run.x), inDigits(run.loss),
        `${command} ${run.seed}`,
      ];
      for (const [place, value] of cells.entries()) {
        const cell = row.insertCell();
        if (place === 5) cell.append(document.createElement("code"));
        (cell.firstChild ?? cell).textContent = String(value).replace(/^-/, "−");
        if (place !== 1 && place !== 5) cell.className = "number";
      }
      return row;
    });
    rows.replaceChildren(...shown);
    for (const head of body.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  };

  const update = () => {
    waiting = false;
    const at = Number(condition.value);
    const from = limit(low, limits[0]);
    const to = limit(high, limits[1]);
    const there = runs.filter((run) => run.condition === at);
    const chosen = there.filter((run) => run.x >= from && run.x <= to);
    const { command } = conditions[at];
    listed(chosen, command);
    const hits = chosen.filter((run) => run.hit !== null).length;
    const solved = chosen.filter((run) => run.status === "solved").length;
    said.textContent =
      `${chosen.length.toLocaleString("en")} of ${there.length.toLocaleString("en")} runs chosen: ` +
      `${hits.toLocaleString("en")} have hit, ${solved.toLocaleString("en")} are solved.`;
    for (const view of views) {
      view.signal("condition", at).signal("low", from).signal("high", to).runAsync();
    }
  };

  const soon = () => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(update);
    }
  };

  const brushed = (_, brush) => {
    if (!brush?.x) return;
    const [a, b] = [...brush.x].sort((p, q) => p - q);
    low.value = Number(a.toPrecision(6));
    high.value = Number(b.toPrecision(6));
    soon();
  };

  const draw = async () => {
    const config = data.configs[shownTheme()];
    const made = data.views.map((spec, number) =>
      vegaEmbed(`#view-${number}`, { ...spec, datasets: { ...spec.datasets, runs } }, {
        actions: false, ast: true, renderer: "canvas", config, tooltip: false,
      }),
    );
    const found = (await Promise.all(made)).map((one) => one.view);
    for (const view of views) view.finalize();
    views = found;
    views[0].addSignalListener("brush", brushed);
    update();
  };

  for (const field of [low, high]) field.addEventListener("input", soon);
  condition.addEventListener("change", soon);
  reset.addEventListener("click", () => {
    low.value = high.value = "";
    soon();
  });
  document.getElementById("choice").addEventListener("submit", (event) => event.preventDefault());
  return draw;
};

const block = document.getElementById("data");
const draw = block ? linked(JSON.parse(block.textContent)) : () => undefined;
const dress = () => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  return draw();
};
theme.addEventListener("change", dress);
system.addEventListener("change", dress);
dress();
