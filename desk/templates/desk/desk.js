// Keeps the parts of the desk up to date. Each part asks for itself, and the server says when to ask again.

const LONGEST_MS = 60_000;
const AFTER_FAILURE_MS = 2_000;
const connection = document.getElementById("connection");
const help = document.getElementById("help");
let failures = 0;

function ageText(ms) {
  const seconds = Math.max(Math.round(ms / 1000), 0);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

class Part {
  constructor(section) {
    this.section = section;
    this.body = section.querySelector(".body");
    this.read = section.querySelector(".read");
    this.tag = section.dataset.tag;
    this.isWaiting = false;
    this.setAge(section.dataset.ageMs);
    this.askIn(Number(section.dataset.nextMs));
  }

  setAge(ms) {
    this.readAt = ms === "" || ms === null ? null : performance.now() - Number(ms);
    this.showAge();
  }

  showAge() {
    const age = this.readAt === null ? null : performance.now() - this.readAt;
    this.section.classList.toggle("stale", age !== null && age > Number(this.section.dataset.staleMs));
    this.read.textContent = age === null ? "not read yet" : `last read ${ageText(age)} ago`;
  }

  askIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), Math.min(ms, LONGEST_MS));
  }

  async ask() {
    if (document.hidden) {
      this.isWaiting = true; // until the page is looked at again
      return;
    }
    try {
      const answer = await fetch(`/parts/${this.section.dataset.part}`, { headers: { "If-None-Match": this.tag } });
      if (!answer.ok && answer.status !== 304) throw new Error(answer.statusText);
      if (answer.status === 200) this.replace(await answer.text());
      this.tag = answer.headers.get("ETag");
      reach();
      this.setAge(answer.headers.get("Desk-Age-Ms"));
      this.askIn(Number(answer.headers.get("Desk-Next-Ms")));
    } catch {
      lose();
      this.askIn(AFTER_FAILURE_MS * 2 ** Math.min(failures, 4));
    }
  }

  // Keeps what a person has opened, scrolled to and focused.
  replace(html) {
    const open = [...this.body.querySelectorAll("details[id]")].map((element) => [element.id, element.open]);
    const scrolled = [...this.body.querySelectorAll(".wide")].map((element) => element.scrollLeft);
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && [...this.body.querySelectorAll("a, summary, [tabindex]")].indexOf(focused);
    this.body.innerHTML = html;
    for (const [id, isOpen] of open) {
      const element = document.getElementById(id);
      if (element) element.open = isOpen;
    }
    this.body.querySelectorAll(".wide").forEach((element, index) => { element.scrollLeft = scrolled[index] ?? 0; });
    if (focused) this.body.querySelectorAll("a, summary, [tabindex]")[place]?.focus({ preventScroll: true });
  }
}

function reach() {
  failures = 0;
  connection.textContent = "";
}

function lose() {
  failures += 1;
  connection.textContent = "The desk does not answer. Start it again with inv desk.";
}

const parts = [...document.querySelectorAll("[data-part]")].map((section) => new Part(section));
setInterval(() => parts.forEach((part) => part.showAge()), 1000);

function askAll() {
  parts.forEach((part) => part.askIn(0));
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const part of parts.filter((waiting) => waiting.isWaiting)) {
    part.isWaiting = false;
    part.askIn(0);
  }
});

// The sandbox's button.

const session = document.getElementById("session");

async function showSession() {
  try {
    const answer = await fetch("/next-session");
    if (!answer.ok) throw new Error(answer.statusText);
    const isFocused = session.contains(document.activeElement);
    session.innerHTML = await answer.text();
    if (isFocused) session.querySelector("button")?.focus({ preventScroll: true });
  } catch {
    lose();
  }
  followSession();
}

function followSession() {
  if (session.querySelector("[data-running=yes]")) {
    setTimeout(showSession, 500);
    return;
  }
  askAll();
}

session?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  form.querySelector("button").disabled = true;
  try {
    await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
  } catch {
    lose();
  }
  askAll();
  showSession();
});
if (session) followSession();

// The keyboard.

const helpButton = document.getElementById("help-button");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "?") {
    if (!help.open) help.showModal();
    return;
  }
  if (help.open) return;
  if (event.key === "r") askAll();
  if (event.key === "t") window.scrollTo({ top: 0 });
  const part = parts.find((candidate) => candidate.section.dataset.key === event.key);
  if (part) {
    part.section.focus({ preventScroll: true });
    part.section.scrollIntoView();
  }
});
