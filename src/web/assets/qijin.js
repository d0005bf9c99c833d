// The pages work without this. It keeps the chat on one page, and moves through tables by j and k.
"use strict";

(function chat() {
  const talk = document.getElementById("talk");
  const ask = document.getElementById("ask");
  if (!talk || !ask) return;
  const box = ask.querySelector("textarea");
  let busy = false;

  // What a form would send, and the turn that comes back.
  async function send(form, button) {
    const fields = new URLSearchParams(new FormData(form));
    if (button && button.name) fields.set(button.name, button.value);
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "x-fragment": "1" },
      body: fields,
      redirect: "error",
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    return parsed.querySelector(".turn");
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const path = new URL(form.action).pathname;
    if (!["/ask", "/ask/open", "/ask/vote", "/ask/human"].includes(path)) return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    try {
      const turn = await send(form, event.submitter);
      if (path === "/ask/vote") {
        form.replaceWith(turn.querySelector(".flash"));
      } else {
        talk.append(turn);
        turn.scrollIntoView({ block: "start" });
      }
      document.querySelector(".examples")?.remove();
      if (form === ask) { box.value = ""; box.focus({ preventScroll: true }); }
    } catch {
      // Offline, or the page is too old: what the browser does by itself says why.
      const button = event.submitter;
      if (button && button.name) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name: button.name, value: button.value });
        form.append(field);
      }
      form.submit();
    } finally {
      busy = false;
    }
  });

  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (box.value.trim()) ask.requestSubmit();
    }
  });
})();

// What carries data-key is pressed by that key, unless that was switched off on this computer.
(function keys() {
  const keyed = new Map();
  for (const element of document.querySelectorAll("[data-key]")) keyed.set(element.dataset.key, element);
  const hint = document.querySelector(".keys");
  if (!keyed.size || !hint) return;
  let off = localStorage.getItem("keys") === "off";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  const say = () => { button.textContent = off ? "打开按键" : "关掉按键"; };
  button.addEventListener("click", () => {
    off = !off;
    localStorage.setItem("keys", off ? "off" : "on");
    say();
  });
  say();
  hint.append(button);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const element = !off && keyed.get(event.key.toLowerCase());
    if (!element) return;
    event.preventDefault();
    keyed.clear();
    element.click();
  });
})();

// What takes seconds says so, and is not sent twice.
(function busy() {
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || !button || event.target.method !== "post") return;
    // After the browser has read what is to be sent: a disabled button would not be.
    setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); });
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("[aria-busy]")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  });
})();

(function rows() {
  const links = Array.from(document.querySelectorAll("main tbody td.words a"));
  if (!links.length) return;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const step = { j: 1, k: -1 }[event.key];
    if (!step) return;
    const at = links.indexOf(document.activeElement);
    const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
    next.focus();
    event.preventDefault();
  });
})();
