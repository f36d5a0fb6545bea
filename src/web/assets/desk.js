"use strict";
// Keys: in a list j and k walk, x selects; anywhere, a key presses what names it in data-key.
(() => {
  const isTyping = (target) =>
    target instanceof Element && target.matches("input:not([type=checkbox]), select, textarea");
  const rows = [...document.querySelectorAll("table.list tbody tr")];
  let at = -1;
  const go = (to) => {
    if (to < 0 || to >= rows.length) return;
    at = to;
    rows[at].querySelector("a, select")?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (named) named.click();
    else if (rows.length > 0 && event.key === "j") go(at + 1);
    else if (rows.length > 0 && event.key === "k") go(at - 1);
    else if (at >= 0 && event.key === "x") rows[at].querySelector("input[type=checkbox]")?.click();
    else return;
    event.preventDefault();
  });
})();

// Live figures of crawls.
(() => {
  const table = document.querySelector("table[data-events]");
  if (!table) return;
  new EventSource(table.dataset.events).onmessage = (event) => {
    for (const run of JSON.parse(event.data)) {
      const row = [...table.querySelectorAll("tr[data-site]")].find((one) => one.dataset.site === run.site);
      if (!row) continue;
      for (const cell of row.querySelectorAll("td[data-live]")) {
        const name = cell.dataset.live;
        cell.textContent = name === "standing" ? table.dataset.running : String(run[name]);
      }
    }
  };
})();

// Both sides of a match, locked together: one is heard, the other goes on silently; s switches, space plays and stops, 1 to 3
// choose the match. The recording plays at the copy's tempo, and at its pitch where speed made that.
(() => {
  const players = document.querySelector("#players[data-sounds]");
  if (!players) return;
  const DRIFT_S = 0.12;
  let now = null;
  const setUp = (pair, told) => {
    const [suspect, reference] = ["suspect", "reference"].map((side) => pair.querySelector(`[data-side=${side}]`));
    if (!told?.suspect) { pair.hidden = true; return null; }
    if (!told.reference) { reference.parentElement.hidden = true; return { toggle: () => (suspect.paused ? suspect.play() : suspect.pause()), change: () => {} }; }
    reference.playbackRate = reference.defaultPlaybackRate = Math.min(4, Math.max(0.25, told.reference_s_per_s));
    reference.preservesPitch = !told.is_speed;
    const there = () => {
      const query = told.suspect.start_s + suspect.currentTime;
      return told.reference_start_s + (query - told.query_start_s) * told.reference_s_per_s - told.reference.start_s;
    };
    const back = () => {
      const place = told.reference.start_s + reference.currentTime;
      return told.query_start_s + (place - told.reference_start_s) / told.reference_s_per_s - told.suspect.start_s;
    };
    let heard = suspect;
    const hear = (which) => {
      heard = which;
      for (const one of [suspect, reference]) {
        one.muted = one !== heard;
        one.toggleAttribute("data-heard", one === heard);
      }
    };
    const other = () => (heard === suspect ? reference : suspect);
    const lock = () => {
      const target = heard === suspect ? there() : back();
      const silent = other();
      if (!(target >= 0 && target <= (silent.duration || Infinity))) { silent.pause(); return; }
      if (Math.abs(silent.currentTime - target) > DRIFT_S) silent.currentTime = target;
      if (!heard.paused && silent.paused) silent.play().catch(() => {});
    };
    for (const one of [suspect, reference]) {
      one.addEventListener("play", () => { if (one.muted && other() === one && heard.paused) hear(one); now = control; lock(); });
      one.addEventListener("pause", () => { if (one === heard && !one.ended) other().pause(); });
      one.addEventListener("timeupdate", () => { if (one === heard) lock(); });
      one.addEventListener("seeked", () => { if (one === heard) lock(); });
    }
    const control = {
      toggle: () => (heard.paused ? heard.play() : heard.pause()),
      change: () => { hear(other()); lock(); },
    };
    const button = pair.querySelector("[data-switch]");
    button.hidden = false;
    button.addEventListener("click", control.change);
    hear(suspect);
    return control;
  };
  fetch(players.dataset.sounds, { headers: { accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
    .then(({ pairs }) => {
      const controls = new Map();
      for (const pair of players.querySelectorAll(".pair")) {
        const rank = Number(pair.dataset.rank);
        const control = setUp(pair, pairs.find((one) => one.rank === rank));
        if (control) controls.set(String(rank), control);
      }
      now = controls.get("1") ?? null;
      document.querySelector("#tempo").hidden = controls.size === 0;
      players.dataset.ready = "yes";
      document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        if (event.target instanceof Element && event.target.matches("input, select, textarea, button, audio, summary, a")) return;
        if (event.key === " ") now?.toggle();
        else if (event.key === "s") now?.change();
        else if (controls.has(event.key)) { now = controls.get(event.key); now.toggle(); }
        else return;
        event.preventDefault();
      });
    })
    .catch(() => { players.dataset.ready = "no"; });
})();
