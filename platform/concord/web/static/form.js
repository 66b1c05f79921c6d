// Sends a page's forms itself, so that the page and what was typed stay when the connection goes, and so that nothing is
// sent twice. Nothing is kept in the browser: what was typed stays in its boxes and nowhere else.

import { initAll } from "./vendor/govuk-frontend.js";

const OFFLINE = {
  title: "Not sent: you are not connected",
  body: "Nothing was sent, and what you entered is still on this page. Check your connection, then try again.",
};
const UNANSWERED = {
  title: "Concord did not answer",
  body:
    "What you entered is still on this page. We cannot tell whether it arrived before the connection went. " +
    "If it matters that it is done only once, look in another window first. Then try again.",
};
const BACK = "You are connected again.";
const ASKED = { "Concord-Form": "1" };

let sending = false;
let notice = null;

function button(words, onclick) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "govuk-button govuk-button--secondary govuk-!-margin-bottom-0";
  made.textContent = words;
  made.addEventListener("click", onclick);
  return made;
}

function tell(words, again) {
  forget();
  notice = document.createElement("div");
  notice.className = "govuk-error-summary";
  notice.tabIndex = -1;
  const alert = notice.appendChild(document.createElement("div"));
  alert.setAttribute("role", "alert");
  const title = alert.appendChild(document.createElement("h2"));
  title.className = "govuk-error-summary__title";
  title.textContent = words.title;
  const body = alert.appendChild(document.createElement("div"));
  body.className = "govuk-error-summary__body";
  body.appendChild(document.createElement("p")).textContent = words.body;
  body.appendChild(button("Try again", again));
  document.querySelector("main").prepend(notice);
  if (!document.title.startsWith("Error: ")) document.title = `Error: ${document.title}`;
  notice.focus();
}

function forget() {
  notice?.remove();
  notice = null;
}

function show(source) {
  const page = new DOMParser().parseFromString(source, "text/html");
  for (const sheet of page.head.querySelectorAll("link[rel=stylesheet]")) {
    if (!document.head.querySelector(`link[href="${sheet.getAttribute("href")}"]`)) document.head.append(sheet);
  }
  page.body.className = document.body.className;
  document.title = page.title;
  document.body.replaceWith(page.body);
  scrollTo(0, 0);
  initAll();
  if (!document.querySelector(".govuk-error-summary")) {
    const heading = document.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
  }
}

// What an error page says, for the page that stays: the service is away, or was asked too much.
function refusal(source) {
  const main = new DOMParser().parseFromString(source, "text/html").querySelector("main");
  const title = main?.querySelector("h1")?.textContent ?? UNANSWERED.title;
  return { title, body: `${main?.querySelector("p")?.textContent ?? ""} What you entered is still on this page.`.trim() };
}

function content(form, submitter) {
  const data = new FormData(form, submitter);
  return form.getAttribute("enctype") === "multipart/form-data" ? data : new URLSearchParams(data);
}

// Read as attributes: a box called “action” or “method” would stand in the way of the form's own.
function address(form, submitter) {
  const given = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  return given ? new URL(given, location.href) : location.href;
}

// To go to another part of the same page would not load it, and what has changed would not be seen.
function go(place) {
  if (place.href.split("#")[0] !== location.href.split("#")[0]) return location.assign(place);
  history.replaceState(null, "", place);
  location.reload();
}

async function send(form, submitter) {
  if (!navigator.onLine) return tell(OFFLINE, () => form.requestSubmit(submitter));
  let answer, source;
  try {
    answer = await fetch(address(form, submitter), { method: "POST", body: content(form, submitter), headers: ASKED });
    source = await answer.text();
  } catch {
    const words = navigator.onLine ? UNANSWERED : { ...UNANSWERED, title: "You are not connected" };
    return tell(words, () => form.requestSubmit(submitter));
  }
  const next = answer.headers.get("Concord-Location");
  if (next) {
    go(new URL(next, location.href));
    // Another page comes: until then nothing of this one may be sent again.
    return new Promise(() => {});
  }
  if (answer.status >= 500 || answer.status === 429) return tell(refusal(source), () => form.requestSubmit(submitter));
  show(source);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
  event.preventDefault();
  if (sending) return;
  sending = true;
  form.setAttribute("aria-busy", "true");
  try {
    await send(form, event.submitter);
  } finally {
    form.removeAttribute("aria-busy");
    sending = false;
  }
});

// A page that the browser kept while another was shown can be used again.
addEventListener("pageshow", (event) => {
  if (event.persisted) sending = false;
});

addEventListener("online", () => {
  if (notice) notice.querySelector("p").textContent = BACK + " What you entered is still on this page.";
});
