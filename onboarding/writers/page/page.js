"use strict";
// The tables of this page: the packed rows and changes are unpacked, drawn a screenful at a time, filtered, and shown one by one.
(async () => {
  const $ = (id) => document.getElementById(id);
  const texts = Uint8Array.from(atob($("data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([texts]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = await new Response(stream).json();
  const text = data.texts;
  const number = (n) => n.toLocaleString("en");

  // ---- rows and changes as objects

  const names = ["result", "status", "code", "message", "fix", "actions"];
  const fresh = new Set(data.fresh);
  const rows = data.rows.number.map((number, n) => {
    const row = { n, fresh: fresh.has(n), row: `${text[data.rows.source[n]]}:${number}` };
    for (const name of names) row[name] = text[data.rows[name][n]];
    data.cells.forEach((column, i) => { row["c" + i] = text[column[n]]; });
    return row;
  });
  const told = ["what", "person", "group", "before", "after", "result", "status", "message", "request", "at"];
  const changes = data.changes.what.map((_, n) => {
    const change = { n, http: data.changes.http[n], attempts: data.changes.attempts[n], rows: data.changes.rows[n] };
    for (const name of told) change[name] = text[data.changes[name][n]];
    return change;
  });
  let concerned = null;
  const changesOf = (n) => {
    if (!concerned) {
      concerned = new Map();
      for (const change of changes) for (const row of change.rows) concerned.set(row, [...(concerned.get(row) || []), change]);
    }
    return concerned.get(n) || [];
  };

  // ---- building elements; what comes from a sheet only ever becomes text

  const element = (tag, content = "", marks = "") => {
    const made = document.createElement(tag);
    if (marks) made.className = marks;
    if (Array.isArray(content)) made.append(...content); else made.textContent = content;
    return made;
  };
  const heading = (content) => { const made = element("th", content); made.scope = "row"; return made; };
  const head = (...titles) => element("thead", [element("tr", titles.map((title) => {
    const made = element("th", title); made.scope = "col"; return made;
  }))]);

  const opening = (content, act) => {
    const button = element("button", content, "link");
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  };

  // ---- one row, and one change, in full

  const marked = (found, header) => {
    const mine = found.filter(([column]) => text[column] === header);
    return mine.length ? (mine.some((one) => one[4]) ? "guilty" : "noted") : "";
  };
  const cellTable = (row, found) => element("table", [
    head("column", "cell", "what about it"),
    element("tbody", data.headers.flatMap(([header], i) => {
      const cell = row["c" + i];
      const about = found.filter(([column]) => text[column] === header).map((one) => text[one[2]]);
      if (!cell && !about.length) return [];
      return [element("tr", [heading(header), element("td", cell), element("td", about.join("; "))], marked(found, header))];
    })),
  ]);
  const answer = (change) => [
    change.message, change.http ? `HTTP ${change.http}` : "", change.attempts > 1 ? `${change.attempts} attempts` : "",
    change.at.replace("T", " ").replace(/\.\d+/, "").replace("+00:00", " UTC"), change.request ? `request ${change.request}` : "",
  ].filter(Boolean).join(" · ");
  const changeTable = (mine) => element("table", [
    head("change", "from", "to", "what became of it", "the tenant's answer"),
    element("tbody", mine.map((change) => element("tr", [
      heading(`${change.person} ${change.what} ${change.group}`.trim()), element("td", change.before), element("td", change.after),
      element("td", change.status, "verdict-" + change.result), element("td", answer(change)),
    ]))),
  ]);
  const show = (row) => {
    const found = data.findings[row.n] || [];
    const mine = changesOf(row.n);
    $("detail-title").textContent = row.row;
    const parts = [element("p", [element("b", row.result, "verdict-" + row.result), ` – ${row.status} `, element("code", row.code)])];
    if (row.message) parts.push(element("p", row.message));
    if (row.fix) parts.push(element("p", [element("b", "What to do: "), row.fix]));
    parts.push(element("h3", "The row as it was read"), cellTable(row, found));
    if (mine.length) parts.push(element("h3", "What was asked of the tenant"), changeTable(mine));
    $("detail-body").replaceChildren(...parts);
    if (!$("detail").open) $("detail").showModal();
  };
  const showChange = (change) => {
    $("detail-title").textContent = [change.person, change.what, change.group].filter(Boolean).join(" ");
    $("detail-body").replaceChildren(
      changeTable([change]), element("h3", "Asked for by"),
      element("ul", change.rows.map((n) => element("li", [opening(rows[n].row, () => show(rows[n]))]))),
    );
    if (!$("detail").open) $("detail").showModal();
  };
  $("detail").addEventListener("click", (event) => { if (event.target === $("detail")) $("detail").close(); });

  // ---- the table of rows

  // Tabulator takes titles and tooltips for HTML, and a header of a sheet is one: both are made here, of text.
  // A title is a button, so that the keyboard sorts too: what it is told goes up to the header.
  const column = (title, field, width, more = {}) => ({
    title, field, width, formatter: "plaintext", titleFormatter: () => opening(title, () => {}),
    tooltip: (_event, cell) => element("span", String(cell.getValue())), ...more,
  });
  const order = (_a, _b, a, b) => a.getData().n - b.getData().n;
  const common = { layout: "fitDataFill", maxHeight: "min(75vh, 44rem)", minHeight: "9rem", renderVertical: "virtual", columnDefaults: { headerSortTristate: true, resizable: true }, };
  const spoken = (grid, name) => grid.on("tableBuilt", () => {
    // What a screen reader is told: the part that scrolls holds the rows, and nothing lies between.
    const whole = grid.element, [holder, table] = [".tabulator-tableholder", ".tabulator-table"].map((part) => whole.querySelector(part));
    whole.removeAttribute("aria-owns");
    whole.setAttribute("aria-label", name);
    holder.setAttribute("role", "rowgroup");
    table.setAttribute("role", "presentation");
  });
  const repeats = (header, nth) => (nth ? `${header} (${nth + 1})` : header || "(no header)");
  const said = (field) => rows.some((row) => row[field]); // a column that is blank in every row only takes room
  document.body.classList.add("ready");
  const rowGrid = new Tabulator("#row-grid", {
    ...common, data: rows, index: "n", placeholder: "No row is like that.",
    columns: [
      column("Row", "row", 170, { formatter: (cell) => opening(cell.getValue(), () => show(cell.getData())), sorter: order, frozen: innerWidth > 700 }),
      column("Result", "result", 95), column("Why", "message", 340),
      column("What to do", "fix", 300, { visible: said("fix") }), column("Changes", "actions", 260, { visible: said("actions") }),
      ...data.headers.map(([header, nth], i) => column(repeats(header, nth), "c" + i, 150)),
      column("State", "status", 200), column("Code", "code", 150),
    ],
    rowFormatter: (row) => row.getElement().classList.add(row.getData().result),
  });

  spoken(rowGrid, "Rows");

  const haystack = new Map();
  const holds = (item, needle) => {
    if (!haystack.has(item)) haystack.set(item, Object.values(item).filter((v) => typeof v === "string").join("\n").toLowerCase());
    return haystack.get(item).includes(needle);
  };
  const value = (id) => ($(id) ? $(id).value : "");
  const filter = () => {
    const needle = value("search").trim().toLowerCase(), result = value("result"), cause = value("cause"), onlyFresh = $("fresh")?.checked;
    rowGrid.setFilter((row) =>
      (!result || row.result === result || (result === "work" && (row.result === "error" || row.result === "manual")))
      && (!cause || row.code.split("; ").includes(cause)) && (!onlyFresh || row.fresh) && (!needle || holds(row, needle)));
  };
  const telling = (grid, output, all, word) => grid.on("dataFiltered", (_, found) => {
    $(output).textContent = found.length === all ? `${number(all)} ${word}` : `${number(found.length)} of ${number(all)} ${word}`;
  });
  telling(rowGrid, "shown", rows.length, data.total > rows.length ? `rows of ${number(data.total)}; all are in results.csv` : "rows");
  let waiting = 0;
  const soon = (act) => () => { clearTimeout(waiting); waiting = setTimeout(act, 120); };
  $("tools").addEventListener("input", soon(filter));
  $("tools").addEventListener("reset", () => setTimeout(filter));
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("button.only")) {
    button.addEventListener("click", () => {
      $("tools").reset();
      $("cause").value = button.dataset.code;
      filter();
      $("rows").scrollIntoView();
      $("cause").focus({ preventScroll: true });
    });
  }

  // ---- the table of changes, made when it comes into sight

  const few = changes.length <= data.few; // above that, headings for everybody take longer than anybody waits: sorting has to do
  const people = changes.filter((change) => change.person), groups = changes.filter((change) => !change.person);
  const by = (field) => (change) => change[field] || (field === "person" ? "Groups" : "Invitations and roles");
  const drawChanges = () => {
    const grid = new Tabulator("#change-grid", {
      ...common, data: people.concat(groups), index: "n", placeholder: "No change is like that.", groupBy: few && by("person"),
      groupHeader: (name, count, _items, group) => {
        group.getElement().setAttribute("role", "row");
        const title = element("span", `${name} · ${number(count)} ${count === 1 ? "change" : "changes"}`);
        title.setAttribute("role", "gridcell");
        return title;
      },
      columns: [
        column("No.", "n", 70, { formatter: (cell) => number(cell.getValue() + 1) }), column("Person", "person", 240),
        column("What", "what", 130, { formatter: (cell) => opening(cell.getValue(), () => showChange(cell.getData())) }), column("Group", "group", 180), column("From", "before", 200),
        column("To", "after", 200), column("Result", "result", 95), column("State", "status", 200), column("Answer", "message", 300),
      ],
      rowFormatter: (row) => { if (row.getData().result) row.getElement().classList.add(row.getData().result); },
    });
    spoken(grid, "Changes");
    telling(grid, "changes-shown", changes.length, "changes");
    $("arranged").addEventListener("change", () => {
      const field = $("arranged").value;
      if (few) grid.setGroupBy(field ? by(field) : false);
      if (few && field) grid.clearSort(); else grid.setSort(field || "n", "asc");
    });
    $("change-search").addEventListener("input", soon(() => {
      const needle = $("change-search").value.trim().toLowerCase();
      grid.setFilter((change) => !needle || holds(change, needle));
    }));
  };
  rowGrid.on("tableBuilt", () => {
    filter();
    document.body.dataset.ready = "rows";
    if (!$("change-grid")) return;
    const sight = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) { sight.disconnect(); drawChanges(); }
    }, { rootMargin: "400px" });
    sight.observe($("change-grid"));
  });
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
})();
