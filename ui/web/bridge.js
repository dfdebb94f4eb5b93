// Carries clicks inside messages, lists and cards (plain links and buttons) to the server's handlers, and the
// keyboard's focus to where the reader will look next. `element`, `trigger`, `watch` and `props` are given by gr.HTML.

const byId = (id) => document.getElementById(id);
let opened = null; // the link of the open card

const name = (id, role, label) => {
  const part = byId(id);
  part?.setAttribute("role", role);
  part?.setAttribute("aria-label", label);
};

const showCard = () => {
  document.body.classList.add("card-open");
  const panel = byId("panel");
  const back = panel.querySelector("button.close");
  if (!back) return;
  byId("paper").scrollTop = 0;
  panel.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  back.focus({ preventScroll: true });
};

const closeCard = () => {
  document.body.classList.remove("card-open");
  // The answer may have been written anew since: look for the link by where it leads.
  const again = opened && (opened.isConnected ? opened : document.querySelector(`a[href="${CSS.escape(opened.getAttribute("href"))}"]`));
  (again ?? document.querySelector("#composer textarea"))?.focus();
};

const openCard = (link) => {
  document.querySelectorAll("a.cite.open-now").forEach((other) => other.classList.remove("open-now"));
  link.classList.add("open-now");
  const before = opened?.getAttribute("href");
  opened = link;
  if (before === link.getAttribute("href")) return showCard();
  trigger("select", { target_paper: link.getAttribute("href").slice("#paper/".length), words: link.title });
};

const openRail = (open) => {
  document.body.classList.toggle("rail-open", open);
  document.querySelector("button.menu")?.setAttribute("aria-expanded", String(open));
};

const copy = async (button) => {
  const kind = button.matches(".as-markdown") ? ".markdown" : ".plain";
  await navigator.clipboard.writeText(button.closest(".colophon").querySelector(kind).textContent);
  const name = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = name), 1500);
};

// Whether what is written is a question or a claim.
const mode = () => document.querySelector("#mode input:checked")?.value;
// Gradio's label encloses the button too; without this the field would be called "Your question Ask".
const nameComposer = () => document.querySelector("#composer textarea")?.setAttribute("aria-label", mode() === "check" ? "Your claim" : "Your question");

const onClick = (event) => {
  const at = event.target.closest?.("a, button");
  if (!at || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (at.matches('a[href^="#paper/"]')) {
    event.preventDefault();
    openCard(at);
  } else if (at.matches("a.talk")) {
    event.preventDefault();
    openRail(false);
    const named = new URL(at.href).searchParams;
    // The conversation comes back with the filter that it was last asked under.
    document.dispatchEvent(new CustomEvent("filter-named", { detail: [...named] }));
    trigger("click", { conversation: named.get("c") });
  } else if (at.matches("button.forget")) {
    if (confirm("Delete this conversation?")) trigger("delete", { conversation: at.value });
  } else if (at.matches("button.example")) {
    trigger("example_select", { question: at.textContent });
  } else if (at.matches("button.afresh")) {
    at.disabled = true;
    trigger("retry", { place: at.id.slice("afresh-".length) });
  } else if (at.matches("button.to-check")) {
    document.querySelector('#mode input[value="check"]')?.click();
    document.querySelector("#composer textarea")?.focus();
  } else if (at.matches("button.sample")) {
    at.disabled = true;
    trigger("apply", {});
  } else if (at.matches("button.close")) {
    closeCard();
  } else if (at.matches("button.copy")) {
    copy(at);
  } else if (at.matches("button.menu")) {
    openRail(!document.body.classList.contains("rail-open"));
  } else if (at.id === "fresh") {
    openRail(false);
    document.querySelector("#composer textarea")?.focus();
  }
};

const onKey = (event) => {
  if (event.key !== "Escape") return;
  if (document.body.classList.contains("rail-open")) openRail(false);
  else if (byId("paper").contains(document.activeElement)) closeCard();
};

// Gradio names each message after its source, tags and all: a screen reader would read those out.
const nameMessages = () => {
  for (const [who, label] of [["user", "Question"], ["bot", "Answer"]]) {
    for (const message of document.querySelectorAll(`#messages [data-testid="${who}"]`)) {
      if (message.getAttribute("aria-label") !== label) {
        message.setAttribute("role", "group");
        message.setAttribute("aria-label", label);
      }
    }
  }
};

// A new question goes to the top and its answer grows below it, so that reading starts at the beginning.
let asked = 0;
const showQuestion = () => {
  const questions = document.querySelectorAll("#messages .question");
  if (questions.length > asked) questions[questions.length - 1].scrollIntoView({ block: "start" });
  asked = questions.length;
};

const start = () => {
  const question = document.querySelector("#composer textarea");
  // Gradio mounts the parts of the page one by one, in no fixed order.
  if (!question || !byId("panel") || !byId("messages") || !mode()) return requestAnimationFrame(start);
  name("rail", "navigation", "Conversations and library");
  name("talk", "region", "Chat");
  name("paper", "complementary", "Paper");
  name("mode", "radiogroup", "What to do with what is written");
  // Gradio names each choice differently, and so the arrow keys would not lead from one to the other.
  for (const choice of document.querySelectorAll("#mode input")) choice.name = "mode";
  nameComposer();
  document.addEventListener("change", ({ target }) => target.closest?.("#mode") && nameComposer());
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  new MutationObserver(() => opened && showCard()).observe(byId("panel"), { childList: true, subtree: true });
  new MutationObserver(() => { nameMessages(); nameComposer(); showQuestion(); }).observe(byId("messages"), { childList: true, subtree: true, attributeFilter: ["aria-label"] });
  nameMessages();
  // Where there is a real keyboard, typing can begin at once; on a phone it would cover half the page. Who was quicker
  // and is somewhere already stays there.
  if (matchMedia("(hover: hover)").matches && document.activeElement === document.body) question.focus();
};
start();

// The address names the conversation, so that a reload or a bookmark comes back to it.
watch("value", () => {
  const address = new URL(location.href);
  if (props.value) address.searchParams.set("c", props.value);
  else address.searchParams.delete("c");
  history.replaceState(history.state, "", address);
  if (!props.value) { opened = null; document.body.classList.remove("card-open"); }
});
