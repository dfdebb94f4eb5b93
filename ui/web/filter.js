// The filter that questions are asked under: `props.value` holds it as pairs of a kind and a value, and goes along with
// each question. Its chips stand here; its fields, which Gradio mounts when it likes, only ever mirror it.
// `element`, `trigger`, `watch`, `props` and `props.words` are given by gr.HTML.

const button = element.querySelector("button.filter");
const chips = element.querySelector("ul.chips");
const inFields = (part) => Boolean(part.closest?.("#fields"));
const values = (kind) => props.value.filter(([name]) => name === kind).map(([, value]) => value);

const chip = ([kind, value], place) => {
  const remove = document.createElement("button");
  const text = document.createElement("span");
  text.textContent = `${props.words[kind]} ${value}`;
  remove.className = "chip";
  remove.append(text);
  remove.title = "Remove this filter";
  remove.setAttribute("aria-label", `${remove.textContent}: remove this filter`);
  remove.addEventListener("click", () => {
    keep(props.value.filter((_, other) => other !== place));
    (chips.querySelectorAll("button")[Math.min(place, props.value.length - 1)] ?? button).focus();
  });
  const item = document.createElement("li");
  item.append(remove);
  return item;
};

const show = () => {
  chips.replaceChildren(...props.value.map(chip));
  for (const field of document.querySelectorAll("#fields select")) field.value = values(field.name)[0] ?? "";
  for (const box of document.querySelectorAll("#fields [type=checkbox]")) box.checked = values(box.name).includes(box.value);
};

// The address names the filter, so that a reload or a bookmark comes back to it: the server reads it there. A value that
// is set while the page is being put together would be shown here and not go along.
const keep = (pairs) => {
  props.value = pairs;
  const address = new URL(location.href);
  for (const kind in props.words) address.searchParams.delete(kind);
  for (const [kind, value] of pairs) address.searchParams.append(kind, value);
  history.replaceState(history.state, "", address);
  show();
};

const without = (kind, value) => props.value.filter((pair) => pair[0] !== kind || pair[1] !== value);

const setYear = (kind, year) => {
  const bounds = { since: values("since")[0], until: values("until")[0], [kind]: year };
  // No year is both since 2024 and until 2022: what was said last is meant.
  if (bounds.since > bounds.until) delete bounds[kind === "since" ? "until" : "since"];
  const set = Object.entries(bounds).filter(([, bound]) => bound);
  keep([...set, ...props.value.filter(([name]) => name !== "since" && name !== "until")]);
};

const addAuthor = (field) => {
  const name = field.value.trim().replace(/\s+/g, " ");
  field.value = "";
  if (name) keep([...without("author", name), ["author", name]]);
};

const open = (wanted) => {
  document.body.classList.toggle("filter-open", wanted);
  button.setAttribute("aria-expanded", String(wanted));
  if (wanted) trigger("expand");
};

button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
document.addEventListener("change", ({ target }) => {
  if (!inFields(target)) return;
  if (target.matches("select")) setYear(target.name, target.value);
  else if (target.matches("[type=checkbox]")) keep([...without(target.name, target.value), ...(target.checked ? [[target.name, target.value]] : [])]);
  else addAuthor(target);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && inFields(event.target) && event.target.name === "author") addAuthor(event.target);
  if (event.key === "Escape" && (inFields(event.target) || element.contains(event.target))) {
    open(false);
    button.focus();
  }
});
document.addEventListener("fields-shown", show);
document.addEventListener("filter-named", ({ detail }) => keep(detail.filter(([kind]) => kind in props.words)));
watch("value", show);
