// The digest tab: a form, an outline to edit, how far the writing is, the digest and its files, and the digests that are
// kept. It speaks to the routes under /digests; all HTML comes from there, escaped. `element` is given by gr.HTML.

const one = (selector, root = element) => root.querySelector(selector);
const wanted = one("form.wanted");
const plan = one("form.outline");
const progress = one(".progress");
const files = one(".files");
const result = one(".result");
const trouble = one(".trouble");
const KINDS = ["since", "until", "author", "tag", "file"];
const STAGES = { searching: "Looking for papers", grouping: "Grouping them", writing: "Writing the sections", comparing: "Comparing the papers", summarising: "Writing the summary" };
let events = null; // what tells of the digest under way
let current = ""; // the digest on the page
let outline = null; // as the server made it
let turn = 0; // counts what the page has turned to: answers to what it has left are passed over

const make = (tag, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
};
const show = (part, shown) => (part.hidden = !shown);
const fail = (sentence) => { trouble.textContent = sentence; show(trouble, Boolean(sentence)); };

const speak = async (path, method = "GET", body = undefined) => {
  const headers = method === "POST" ? { "content-type": "application/json" } : {};
  const response = await fetch(`digests${path}`, { method, headers, body: body && JSON.stringify(body) });
  const told = await response.json();
  if (!response.ok) throw new Error(told.error ?? "The server could not do this.");
  return told;
};

// The address names the view and the digest, so that a reload or a bookmark comes back to them.
const address = () => {
  const url = new URL(location.href);
  const viewing = document.body.classList.contains("digesting");
  for (const [name, value] of [["view", viewing ? "digest" : ""], ["d", viewing ? current : ""]]) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(history.state, "", url);
};

const view = (name) => {
  document.body.classList.toggle("digesting", name === "digest");
  document.body.classList.remove("rail-open", "card-open");
  for (const button of document.querySelectorAll("button.view")) {
    if (button.value === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  document.getElementById("talk")?.setAttribute("aria-label", name === "digest" ? "Digest" : "Chat");
  address();
  if (name === "digest") list();
};

const leave = () => {
  turn += 1;
  events?.close();
  events = null;
  outline = null;
  current = "";
  fail("");
  for (const part of [plan, progress, files]) show(part, false);
  result.replaceChildren();
};

const blank = () => {
  leave();
  show(wanted, true);
  address();
  list();
};

// ---- the digests that are kept

const list = async () => {
  const shelf = document.querySelector("#digests .kept");
  if (!shelf) return;
  let kept = [];
  try { kept = await speak(""); } catch (error) { return fail(error.message); }
  shelf.replaceChildren(...kept.map(({ id, title, papers, at }) => {
    const told = `${papers} paper${papers === 1 ? "" : "s"}, ${new Date(at).toLocaleDateString()}`;
    const open = make("button", { className: "open-digest", value: id, title: `${title} (${told})` }, title, make("span", { className: "told" }, told));
    if (id === current) open.setAttribute("aria-current", "page");
    const forget = make("button", { className: "forget-digest", value: id, title: "Delete" }, "×");
    forget.setAttribute("aria-label", `Delete the digest: ${title}`);
    return make("li", {}, open, forget);
  }));
  show(document.querySelector("#digests .none"), !kept.length);
};

// ---- the outline

const draw = () => {
  const headings = outline.groups.map((group) => group.heading);
  const paper = (id, place) => {
    const title = outline.titles[id] ?? id;
    const keep = make("input", { type: "checkbox", checked: true, name: "keep", value: id });
    const move = make("select", { name: "move", value: id }, ...headings.map((heading, number) => make("option", { value: number, selected: number === place }, heading)));
    move.setAttribute("aria-label", `Section of: ${title}`);
    return make("li", {}, make("label", { className: "pick" }, keep, make("span", {}, title)), headings.length > 1 ? move : "");
  };
  const group = ({ heading, papers }, place) => {
    const input = make("input", { type: "text", name: "heading", value: heading, maxLength: 200 });
    return make("fieldset", {}, make("legend", {}, `Section ${place + 1}`), make("label", { className: "field" }, "Heading ", input), make("ul", {}, ...papers.map((id) => paper(id, place))));
  };
  const title = make("input", { type: "text", name: "title", value: outline.title, maxLength: 300 });
  const notes = [outline.scope, outline.notice].filter(Boolean).map((note, place) => make("p", { className: place ? "notice" : "scope" }, note));
  plan.replaceChildren(
    make("h2", { tabIndex: -1 }, "Outline"), ...notes, make("label", { className: "field" }, "Title ", title), ...outline.groups.map(group),
    make("p", { className: "actions" }, make("button", { type: "submit", className: "go" }, "Write the digest"), make("button", { type: "button", className: "back" }, "Back")));
  show(wanted, false);
  show(plan, true);
  one("h2", plan).focus({ preventScroll: true });
  document.getElementById("survey").scrollTop = 0;
};

// What the page says is the outline now: papers go where their fields say, in the order they stand in.
const edited = () => {
  const groups = [...plan.querySelectorAll('input[name="heading"]')].map((input, place) => ({ heading: input.value.trim() || outline.groups[place].heading, papers: [] }));
  [...plan.querySelectorAll("fieldset")].forEach((set, place) => {
    for (const item of set.querySelectorAll("li")) {
      const keep = one("input", item);
      const move = one("select", item);
      if (keep.checked) groups[move ? Number(move.value) : place].papers.push(keep.value);
    }
  });
  const { titles, ...rest } = outline;
  return { ...rest, title: one('input[name="title"]', plan).value.trim() || outline.title, groups: groups.filter(({ papers }) => papers.length) };
};

const ask = async () => {
  leave();
  const mine = turn;
  const filter = [...new URL(location.href).searchParams].filter(([kind]) => KINDS.includes(kind));
  const body = { ...Object.fromEntries(new FormData(wanted)), filter };
  if (!body.topic.trim() && !body.since && !filter.length) return fail("Name a topic, or choose papers by the filter.");
  const go = one("button.go", wanted);
  go.disabled = true;
  tell({ stage: "searching", done: 0, total: 1 });
  show(one("button.stop"), false);
  try {
    const made = await speak("/outline", "POST", body);
    if (mine !== turn) return;
    outline = made;
    if (made.groups.length) draw();
    else fail(made.notice ?? "The library holds nothing on this.");
  } catch (error) {
    if (mine === turn) fail(error.message);
  } finally {
    go.disabled = false;
    if (mine === turn) show(progress, false);
  }
};

// ---- the writing

const tell = ({ stage, done, total }) => {
  show(progress, true);
  const bar = one("progress");
  one("p", progress).textContent = `${STAGES[stage]}${total > 1 ? `: ${done} of ${total}` : ""}…`;
  bar.max = total;
  if (total > 1) bar.value = done;
  else bar.removeAttribute("value");
};

const write = async () => {
  const asked = edited();
  if (!asked.groups.length) return fail("Keep at least one paper.");
  const mine = ++turn;
  fail("");
  show(plan, false);
  tell({ stage: "writing", done: 0, total: asked.groups.length });
  try {
    const { id } = await speak("", "POST", asked);
    if (mine === turn) follow(id);
  } catch (error) {
    if (mine !== turn) return;
    show(progress, false);
    show(plan, true);
    fail(error.message);
  }
};

const follow = (id) => {
  leave();
  current = id;
  address();
  show(wanted, false);
  show(one("button.stop"), true);
  tell({ stage: "writing", done: 0, total: 1 });
  events = new EventSource(`digests/${encodeURIComponent(id)}/events`);
  events.onmessage = ({ data }) => {
    const state = JSON.parse(data);
    if (state.html) result.innerHTML = state.html;
    if (!state.over) return tell(state);
    events.close();
    events = null;
    show(progress, false);
    if (state.error) {
      current = "";
      fail(state.error);
      show(wanted, true);
      address();
    } else {
      show(files, Boolean(one(".digest section", result)));
      one(".digest h2", result)?.focus({ preventScroll: true });
    }
    list();
  };
  events.onerror = () => { // the server is gone; the browser would try for ever
    events?.close();
    show(progress, false);
    fail("The server does not answer: start it again, then reload the page.");
  };
};

const download = async (button) => {
  fail("");
  button.disabled = true;
  try {
    const response = await fetch(`digests/${encodeURIComponent(current)}/files/${button.value}`);
    if (!response.ok) throw new Error((await response.json()).error);
    const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition"))?.[1] ?? "digest";
    const link = make("a", { href: URL.createObjectURL(await response.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (error) {
    fail(error.message);
  } finally {
    button.disabled = false;
  }
};

// ---- what is done on the page

wanted.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
plan.addEventListener("submit", (event) => { event.preventDefault(); write(); });
// The heading is told in the fields of the papers too.
plan.addEventListener("input", ({ target }) => {
  if (target.name !== "heading") return;
  const place = [...plan.querySelectorAll('input[name="heading"]')].indexOf(target);
  for (const field of plan.querySelectorAll("select")) field.options[place].textContent = target.value;
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button");
  const mark = target.closest?.("#survey g.mark[data-label]");
  if (mark) { // a paper in a picture opens as it does in the references
    const listed = [...result.querySelectorAll(".listed li")].find((item) => one(".n", item).textContent === mark.dataset.label);
    return listed && one("a.open", listed).click();
  }
  if (!button) return;
  if (button.matches("button.view")) view(button.value);
  else if (button.matches("button.open-digest")) { document.body.classList.remove("rail-open"); follow(button.value); }
  else if (button.matches("button.forget-digest")) { if (confirm("Delete this digest?")) forget(button.value); }
  else if (button.matches("button.new-digest")) { document.body.classList.remove("rail-open"); blank(); one("input", wanted).focus(); }
  else if (button.matches("#survey button.back")) { show(plan, false); show(wanted, true); one("input", wanted).focus(); }
  else if (button.matches("#survey button.stop")) speak(`/${encodeURIComponent(current)}/stop`, "POST", {}).catch((error) => fail(error.message));
  else if (button.matches("#survey button.download")) download(button);
});

const forget = async (id) => {
  try { await speak(`/${encodeURIComponent(id)}`, "DELETE"); } catch (error) { return fail(error.message); }
  if (id === current) blank();
  else list();
};

// Gradio mounts the parts of the page one by one, in no fixed order.
const start = () => {
  if (!document.querySelector("button.view") || !document.querySelector("#digests .kept") || !document.getElementById("talk")) return requestAnimationFrame(start);
  const named = new URL(location.href).searchParams;
  if (named.get("view") !== "digest") return;
  const id = named.get("d");
  if (id) current = id;
  view("digest");
  if (id) follow(id);
};
start();
