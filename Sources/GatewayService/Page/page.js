// Asks the gateway once a second and keeps what it said, for ten minutes.

const keyName = "aladdin-api-key", kept = 600;
const history = [], departed = new Map(), changes = [];
let lastAnswer = null;

function storedKey() {
  try { return sessionStorage.getItem(keyName); } catch { return null; }
}

function storeKey(key) {
  try {
    if (key) sessionStorage.setItem(keyName, key); else sessionStorage.removeItem(keyName);
  } catch { /* Without storage the key holds until the next question. */ }
}

/// Asks once. What comes back is the cluster's status, or why there is none.
async function ask() {
  const key = storedKey(), headers = key ? { authorization: "Bearer " + key } : {};
  let response;
  try {
    response = await fetch("v1/cluster", { headers, cache: "no-store", signal: AbortSignal.timeout(5000) });
  } catch {
    return { trouble: "the gateway does not answer" };
  }
  if (response.status === 401 || response.status === 403) return { wantsKey: await reasonOf(response), had: key !== null };
  if (!response.ok) return { trouble: await reasonOf(response) };
  try { return { status: await response.json() }; } catch { return { trouble: "the gateway's answer was cut off" }; }
}

async function reasonOf(response) {
  try { return (await response.json()).error.message; } catch { return "the gateway answers with " + response.status; }
}

function remember(status, time) {
  const before = latestOf(history);
  history.push({ time, status: status ?? null });
  while (history.length && time - history[0].time > kept) history.shift();
  if (!status) return;
  for (const worker of before?.workers ?? []) {
    if (!status.workers.some((other) => other.worker === worker.worker)) departed.set(worker.worker, { ...worker, since: time });
  }
  for (const [id, worker] of departed) {
    const back = status.workers.some((other) => other.worker === id || other.name === worker.name);
    if (back || time - worker.since > 120) departed.delete(id);
  }
  for (const fleet of status.fleets) {
    const old = before?.fleets.find((other) => other.model === fleet.model && other.role === fleet.role);
    if (!old || old.workers === fleet.workers) continue;
    changes.push({ time, text: `${fleetName(fleet)}: ${old.workers} → ${fleet.workers}, ${reasons[fleet.reason] ?? fleet.reason}` });
    if (changes.length > 50) changes.shift();
  }
}

function render() {
  const status = latestOf(history);
  byId("cluster").hidden = !status;
  if (!status) return;
  const times = history.map((moment) => moment.time), now = last(times);
  present = history.findLastIndex((moment) => moment.status);
  const figure = document.querySelector("#models figure");
  if (figure && figure.clientWidth > 0) chartWidth = figure.clientWidth;
  showHeadline(history, times);
  showModels(history, times);
  showWorkers(history, [...departed.values()].map((worker) => ({ ...worker, now })));
  const wide = document.querySelector("#scaling").clientWidth;
  const narrow = chartWidth;
  if (wide > 0) chartWidth = wide;
  showScaling(history, times, changes);
  if (wide > 0) chartWidth = window.innerWidth > 640 ? (wide - 22) / 2 : wide;
  showPredictions(history, times);
  chartWidth = narrow;
  byId("about").textContent = [status.policy ? "policy " + status.policy : "no scheduler", "version " + status.version,
    "broker up " + upFor(status.uptime_ms / 1000)].join(" · ");
}

const upFor = (seconds) => seconds < 120 ? Math.floor(seconds) + " s" : seconds < 7200 ? Math.floor(seconds / 60) + " min"
  : seconds < 172800 ? Math.floor(seconds / 3600) + " h" : Math.floor(seconds / 86400) + " days";

function say(kind, text) {
  byId("state").className = "state " + kind;
  byId("state").textContent = text;
  byId("cluster").classList.toggle("stale", kind !== "live");
}

async function turn() {
  const answer = await ask(), time = Date.now() / 1000;
  byId("key").hidden = !answer.wantsKey;
  byId("forget").hidden = storedKey() === null;
  if (answer.wantsKey) {
    byId("key-why").textContent = answer.had ? answer.wantsKey
      : "This gateway shows the cluster to those with an API key that speaks for every tenant.";
    say("waiting", answer.had ? "this key will not do" : "a key is needed");
    // Nothing is asked again until there is another key.
    return;
  }
  remember(answer.status, time);
  if (answer.status) {
    lastAnswer = time;
    say("live", "live");
  } else {
    say("lost", answer.trouble.replace(/\.$/, "") + (lastAnswer ? `; last heard ${Math.round(time - lastAnswer)} s ago` : ""));
  }
  render();
  setTimeout(turn, 1000);
}

byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  storeKey(byId("key-text").value.trim());
  byId("key-text").value = "";
  turn();
});
byId("forget").addEventListener("click", () => { storeKey(null); location.reload(); });

document.addEventListener("pointermove", (event) => {
  const body = event.target.closest?.(".chart svg");
  const before = cursor;
  if (body) {
    const box = body.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width * body.viewBox.baseVal.width - inset.left)
      / (body.viewBox.baseVal.width - inset.left - inset.right);
    cursor = Number(body.dataset.end) - (1 - Math.min(Math.max(share, 0), 1)) * Number(body.dataset.window);
  } else {
    cursor = null;
  }
  if (cursor !== before) render();
});
document.addEventListener("pointerleave", () => { cursor = null; });
window.addEventListener("resize", render);

byId("command").textContent = `curl -N ${location.origin}/v1/chat/completions \\
  -H 'content-type: application/json' \\
  -H 'x-slo-ttft-ms: 1500' -H 'x-slo-tpot-ms: 80' \\
  -d '{"messages": [{"role": "user", "content": "Hello"}], "stream": true}'`;
turn();
