// What is shown of the history: a list of { time, status }, the latest last, status null where nobody answered.

const byId = (id) => document.getElementById(id);
const color = (name) => `var(--${name})`;

/// A value of each moment, or null.
const over = (history, value) => history.map((moment) => {
  if (!moment.status) return null;
  const found = value(moment.status);
  return known(found) ? found : null;
});
const modelAt = (status, name) => status.models.find((model) => model.model === name);
const total = (status, field) => status.models.reduce((sum, model) => sum + model[field], 0);
const attainmentOf = (model) => (model && model.ttft_ms.count > 0 ? model.attainment : null);

/// How fast a total grew, over about five seconds; null where that is unknown, as after a new broker.
function rates(history, value) {
  return history.map((moment, index) => {
    let before = index;
    while (before > 0 && (!history[before].status || moment.time - history[before].time < 5)) before -= 1;
    const [from, to] = [history[before].status, moment.status];
    if (!from || !to || before === index || from.broker !== to.broker) return null;
    const grown = value(to) - value(from);
    return grown < 0 ? null : grown / (moment.time - history[before].time);
  });
}

function showHeadline(history, times) {
  const index = cursor === null ? present : nearest(times, cursor);
  const tile = (name, values, format, tint, { note, high, judge } = {}) =>
    make("div", { class: "tile" }, make("small", null, name),
      make("b", { class: judge && known(values[index]) ? judge(values[index]) : "" }, shown(values[index], format)),
      make("small", null, note ?? " "), spark(times, values, color(tint), high));
  const attainment = over(history, (status) => {
    const seen = status.models.filter((model) => model.ttft_ms.count > 0);
    const count = seen.reduce((sum, model) => sum + model.ttft_ms.count, 0);
    return seen.length ? seen.reduce((sum, model) => sum + model.attainment * model.ttft_ms.count, 0) / count : null;
  });
  const status = history[index].status ?? latestOf(history);
  const tokens = rates(history, (one) => total(one, "output_tokens"));
  byId("headline").replaceChildren(
    tile("Objectives met", attainment, percent, "green", { note: "of recent queries", high: 1,
      judge: (value) => (value >= 0.97 ? "good" : value >= 0.9 ? "fair" : "bad") }),
    tile("Finished", rates(history, (one) => total(one, "completed")), (value) => number(value) + "/s", "blue",
      { note: number(total(status, "completed")) + " in all" }),
    tile("Output tokens", tokens, (value) => number(value) + "/s", "blue", { note: number(total(status, "output_tokens")) + " in all" }),
    tile("Running", over(history, (one) => total(one, "running")), number, "blue", { note: "on " + plural(status.workers.length, "worker") }),
    tile("Waiting", over(history, (one) => total(one, "queued")), number, "amber", { note: "on no worker yet" }),
    tile("Refused", rates(history, (one) => total(one, "refused")), (value) => number(value) + "/s", "red",
      { note: number(total(status, "refused")) + " in all", judge: (value) => (value > 0 ? "bad" : "") }));
}

function showModels(history, times) {
  const status = latestOf(history), objective = status.objective;
  byId("models").replaceChildren(...status.models.map(({ model: name }) => {
    const now = modelAt(status, name);
    const values = (value) => over(history, (one) => { const model = modelAt(one, name); return model ? value(model) : null; });
    const quantiles = (field) => ["p50", "p99"].map((quantile, rank) => ({
      name: quantile, color: color(rank ? "amber" : "blue"),
      values: values((model) => (model[field].count > 0 ? model[field][quantile] : null)),
    }));
    const line = (value) => (objective ? { value, name: "objective " + milliseconds(value) } : undefined);
    const counts = [["failed", now.failed], ["cancelled", now.cancelled], ["refused", now.refused], ["retried", now.retried],
      ["tokens in vain", now.wasted_tokens]]
      .filter(([, count]) => count > 0).map(([word, count]) => number(count) + " " + word).join(" · ");
    return make("article", null,
      make("div", { class: "head" }, make("h2", null, name), make("span", { class: "muted" }, plural(now.workers, "worker")),
        make("span", { class: "muted counts" }, number(now.completed) + " done" + (counts ? " · " + counts : ""))),
      make("div", { class: "charts" },
        chart({ title: "Time to first token", times, log: true, format: milliseconds, series: quantiles("ttft_ms"), objective: line(objective?.ttft_ms) }),
        chart({ title: "Time per token", times, log: true, format: milliseconds, series: quantiles("atgt_ms"), objective: line(objective?.atgt_ms) }),
        chart({ title: "Queries", times, whole: true, low: 0, series: [
          { name: "running", color: color("blue"), area: true, values: values((model) => model.running) },
          { name: "waiting", color: color("amber"), area: true, values: values((model) => model.queued) }] }),
        chart({ title: "Objectives met", times, low: 0, high: 1, format: percent, series: [
          { name: "met", color: color("green"), area: true, values: values(attainmentOf) }] })));
  }));
}

function showWorkers(history, departed) {
  const status = latestOf(history), workers = status.workers.toSorted(byName), several = status.models.length > 1;
  const most = Math.max(8, ...workers.map((worker) => worker.running + worker.waiting + worker.queued));
  const speeds = new Map(workers.map((worker) => [worker.worker, rates(history, (one) =>
    one.workers.find((other) => other.worker === worker.worker)?.output_tokens ?? NaN)[present]]));
  const rows = workers.map((worker) => workerRow(worker, most, speeds.get(worker.worker), several));
  byId("workers").replaceChildren(...rows, ...departed.map(goneRow),
    ...(rows.length + departed.length ? [] : [make("p", { class: "muted" }, "No worker is connected: queries wait until one is.")]));
  byId("workers-title").textContent = workers.length ? "Workers (" + workers.length + ")" : "Workers";
}

const byName = (one, other) =>
  one.name.localeCompare(other.name, undefined, { numeric: true }) || one.worker - other.worker;

function workerRow(worker, most, speed, several) {
  const used = worker.kv_capacity_tokens > 0 ? 1 - worker.kv_free_tokens / worker.kv_capacity_tokens : 0;
  const share = (count) => (100 * count / most) + "%";
  const behind = worker.waiting + worker.queued;
  const silent = worker.running > 0 && worker.last_step_age_ms > 3000;
  const part = (kind, count) => (count > 0 ? make("i", { class: kind, style: { width: share(count) }, title: count + " " + kind }) : null);
  return make("div", { class: "worker" },
    make("div", { class: "name", title: `${worker.name}, ${worker.engine}, ${worker.device}, number ${worker.worker}` }, worker.name + " ",
      worker.role && worker.role !== "both" ? make("span", { class: "tag" }, worker.role) : "",
      worker.state === "draining" ? make("span", { class: "tag fair" }, "leaving") : null,
      silent ? make("span", { class: "tag bad" }, "silent " + Math.round(worker.last_step_age_ms / 1000) + " s") : null,
      make("small", { class: "muted" }, several ? worker.model : worker.engine)),
    make("div", { class: "measure" },
      make("span", { class: "bar" }, make("i", { class: used > 0.95 ? "full" : "kv", style: { width: 100 * used + "%" } })),
      make("span", null, percent(used) + " KV")),
    make("div", { class: "measure" },
      make("span", { class: "bar" }, part("running", worker.running), part("taken", worker.waiting), part("placed", worker.queued)),
      make("span", null, number(worker.running), make("span", { class: "muted" }, behind ? " + " + number(behind) : " running"))),
    make("div", { class: "right rate" }, shown(speed, number), make("span", { class: "muted" }, " tok/s")),
    make("div", { class: "right errors muted", title: "How far predicted durations of engine steps are off, and which way" },
      ...(worker.steps > 0
        ? ["steps ±" + percent(worker.step_rel_error), make("br"), "bias " + signed(worker.step_rel_bias)] : ["no steps yet"])));
}

function goneRow({ name, model, since, now }) {
  return make("div", { class: "worker gone" },
    make("div", { class: "name muted" }, name + " ", make("span", { class: "tag bad" }, "gone"), make("small", { class: "muted" }, model)),
    make("div", { class: "measure" }, make("span", { class: "bar" }), make("span")),
    make("div", { class: "measure" }, make("span", { class: "bar" }),
      make("span", { class: "muted" }, Math.round(now - since) + " s ago")),
    make("div", { class: "right rate" }), make("div", { class: "errors" }));
}

const reasons = {
  fixed: "the number is fixed", steady: "what is there fits the load", demand: "the load asks for it",
  reserve: "kept ready for bursts", backlog: "queries have piled up", surplus: "fewer would do",
  lingering: "fewer would do, not yet for long enough", limit: "it may be no more, or no less",
};

// Where workers are for one phase each there is a fleet for each phase.
const fleetName = (fleet) => fleet.model + (fleet.role && fleet.role !== "both" ? ", " + fleet.role : "");

function showScaling(history, times, changes) {
  const status = latestOf(history);
  if (!status.fleets.length) {
    byId("scaling").replaceChildren(make("p", { class: "muted" },
      status.policy ? "The scheduler wishes for nothing: scaling is off." : "No scheduler is connected."));
    return;
  }
  byId("scaling").replaceChildren(...status.fleets.flatMap((fleet) => {
    const values = (field) => over(history, (one) => one.fleets.find((other) => other.model === fleet.model && other.role === fleet.role)?.[field]);
    return [
      make("p", { class: "wish" }, make("b", null, plural(fleet.workers, "worker")), " wished for " + fleetName(fleet) + ": ",
        make("span", null, reasons[fleet.reason] ?? fleet.reason),
        make("span", { class: "muted" }, ` · ${fleet.active} serve, ${fleet.starting} awaited`)),
      chart({ title: "Workers", times, whole: true, low: 0, stepped: true, series: [
        { name: "wished for", color: color("amber"), values: values("workers") },
        { name: "serving", color: color("blue"), values: values("active") },
        { name: "kept busy", color: color("violet"), values: values("offered_load") }] }),
    ];
  }), make("ul", { class: "log" }, ...changes.slice(-5).reverse().map((change) =>
    make("li", null, make("time", null, new Date(change.time * 1000).toLocaleTimeString([], { hour12: false })), change.text))));
}

function showPredictions(history, times) {
  const status = latestOf(history);
  if (!(status.ttft_predictions > 0)) {
    byId("predictions").replaceChildren(make("p", { class: "muted" }, "Nothing has been compared yet."));
    return;
  }
  const one = (title, word) => chart({ title, times, format: percent, series: [
    { name: "off by", color: color("violet"), area: true, values: over(history, (state) => state[word + "_rel_error"]) },
    { name: "bias", color: color("amber"), values: over(history, (state) => state[word + "_rel_bias"]) }] });
  const said = (word, bias) => word + " " + (Math.abs(bias) < 0.01 ? "on the mark" : percent(Math.abs(bias)) + (bias > 0 ? " too long" : " too short"));
  byId("predictions").replaceChildren(
    make("p", { class: "wish" }, "On average ", said("first tokens are predicted", status.ttft_rel_bias), ", ",
      said("token times", status.atgt_rel_bias), make("span", { class: "muted" }, ` · ${number(status.ttft_predictions)} compared`)),
    make("div", { class: "compare" }, one("First token", "ttft"), one("Per token", "atgt")),
    make("p", { class: "muted", style: { margin: "8px 0 0" } }, status.policy
      ? `${status.policy} decided ${number(status.decisions)} times: half within ${number(status.decision_us.p50)} µs, 99 % within ${number(status.decision_us.p99)} µs`
      : "No scheduler is connected: queries go to the worker with the most room."));
}

const latestOf = (history) => history.findLast((moment) => moment.status)?.status;
