"""What must be seen: nothing alarming while all is well, and each fault by its name."""
from __future__ import annotations

import time

from prometheus import Prometheus
from service import MODEL, Service
from shipped import Shipped

failures: list[str] = []
checked = 0


def check(holds: bool, what: str) -> None:
    global checked
    checked += 1
    if not holds:
        failures.append(what)
        print(f"observability: FAILED: {what}", flush=True)


def say(words: str) -> None:
    print(f"observability: {words}", flush=True)


def calm(service: Service, prometheus: Prometheus, shipped: Shipped) -> None:
    load = service.load(rate=6, seconds=30)
    for tenant, priority in (("acme", "1"), ("globex", "-1"), ("", "0")):
        headers = {"x_aladdin_tenant": tenant} if tenant else {}
        for thread in service.ask_many(3, x_aladdin_priority=priority, **headers):
            thread.join()
    load.wait(120)
    for title, query in shipped.panels:
        # What nothing has happened to is shown as nothing.
        is_quiet = any(word in query for word in ('outcome="refused"', "retries", "refusals", "failures"))
        samples = prometheus.query(query)
        check(bool(samples) or is_quiet, f"the panel '{title}' has no data: {query}")
        check(all(value >= 0 or "bias" in query for _, value in samples), f"negative, in the panel '{title}': {query}")
    for variable in shipped.variables:
        metric, label = variable.removeprefix("label_values(").removesuffix(")").split(", ")
        values = prometheus.get(f"label/{label}/values", **{"match[]": metric})
        check(values == [MODEL], f"{variable} is {values}")
    for question, query in shipped.questions:
        check(bool(prometheus.query(query)), f"'{question}' has no answer: {query}")
    for alert, expression in shipped.alerts.items():
        check(not prometheus.query(expression), f"{alert} holds while all is well: {prometheus.query(expression)}")
    say(f"calm: {len(shipped.panels)} queries of the dashboard, {len(shipped.questions)} of the document, no alert")


def faults(service: Service, prometheus: Prometheus, shipped: Shipped) -> None:
    left = dict(shipped.alerts)

    def fires(alert: str, patience: float = 90) -> None:
        expression = left.pop(alert)
        samples = prometheus.until(alert, lambda: prometheus.query(expression), patience)
        check(True, alert)
        say(f"{alert}: {samples[0][0] or ''} {samples[0][1]:.3g}")

    # It takes a slow disk, which nobody has at hand; that the expression measures something can be seen.
    slow = left.pop("AladdinJournalSlow").replace("> 0.5", "> 0")
    check(bool(prometheus.query(slow)), f"nothing is known of the journal: {slow}")
    say(f"AladdinJournalSlow: no fault made; at the moment {prometheus.value(slow):.3g} s")

    # One engine hangs in its first step, one takes any time, one has too much to do, one will be killed.
    service.worker("stuck", service.other_profile("stuck", 100_000))
    service.worker("fickle", service.other_profile("fickle", 5), "--noise", "1")
    service.worker("crowded", service.other_profile("crowded", 10, 4))
    for number in (1, 2):
        service.worker(f"doomed-{number}", service.other_profile("doomed", 50))
    prometheus.until("other models", lambda: prometheus.value("sum(aladdin_model_workers)") == 8)
    service.ask_many(1, model="stuck", tokens=2)
    service.ask_many(12, model="fickle", tokens=400)
    service.ask_many(24, model="crowded", tokens=300)
    fires("AladdinWishUnheeded")

    # The client leaves; the time is over while the answer streams; the objective can't be met by anybody.
    for thread in service.ask_many(4, tokens=400, reads=6):
        thread.join()
    for thread in service.ask_many(20, tokens=1500, x_request_timeout_ms="1500"):
        thread.join()
    fires("AladdinFailing")
    for _ in range(60):
        service.ask(x_slo_ttft_ms="1")
    fires("AladdinRefusing")
    # Within reach of an idle worker as far as its profile tells, but nobody is that fast.
    for _ in range(5):
        check(service.ask(tokens=60, x_slo_tpot_ms="11.17") == 200, "a query with a hard objective is not served")
    # The crowded worker's batch is too slow for anybody's pace.
    fires("AladdinPromisesBroken")
    lost = service.ask_many(8, model="doomed", tokens=200)
    running = 'topk(1, aladdin_worker_running_queries{worker=~"doomed-.*"} > 2)'
    labels, _ = prometheus.until("a worker with something to lose", lambda: prometheus.query(running))[0]
    service.kill(labels["worker"])
    fires("AladdinRetrying")
    for thread in lost:
        thread.join(60)
    fires("AladdinStepModelWrong")
    fires("AladdinWorkerSilent", 60)

    rare(prometheus, shipped)

    service.kill("scheduler")
    fires("AladdinNoScheduler")
    for name in [name for name in service.roles if name not in ("broker", "gateway")]:
        service.kill(name)
    fires("AladdinNoWorkers")
    service.kill("broker")
    fires("AladdinBrokerDown")
    service.kill("gateway")
    fires("AladdinGatewayDown")
    check(not left, f"no fault was made for {sorted(left)}")


def rare(prometheus: Prometheus, shipped: Shipped) -> None:
    """By now everything has happened that is counted."""
    time.sleep(2)
    seen = {one["metric"]: one["type"] for one in prometheus.get("targets/metadata", match_target='{job="aladdin"}')}
    for metric, kind in shipped.metrics.items():
        check(seen.get(metric) == kind, f"{metric} is {seen.get(metric)}, not the {kind} of the document")
        name = metric + "_count" if kind == "histogram" else metric
        check(bool(prometheus.query(name)), f"{metric} has no series")
    ours = {name for name in seen if name.startswith("aladdin_")}
    check(ours == set(shipped.metrics), f"not in the document: {sorted(ours - set(shipped.metrics))}")
    for result in ("met", "missed", "failed", "cancelled", "refused"):
        query = f'sum(aladdin_tenant_queries_total{{result="{result}"}})'
        check((prometheus.value(query) or 0) > 0, f"no query was {result}")
    for outcome in ("completed", "lost", "cancelled", "expired"):
        query = f'sum(aladdin_leases_ended_total{{outcome="{outcome}"}})'
        check((prometheus.value(query) or 0) > 0, f"no lease was {outcome}")
    for tenant, serviceClass in (("acme", "high"), ("globex", "sheddable"), ("none", "standard")):
        query = f'sum(aladdin_tenant_queries_total{{tenant="{tenant}",class="{serviceClass}",result="met"}})'
        check((prometheus.value(query) or 0) >= 3, f"{tenant}'s queries are not counted as {serviceClass}")
    say(f"{len(shipped.metrics)} metrics of the document, each with series of its type")


def report() -> int:
    say(f"{checked} checks, {len(failures)} failed")
    return 1 if failures else 0
