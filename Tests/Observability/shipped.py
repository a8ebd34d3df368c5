"""What we ship that asks Prometheus: the dashboard's queries, the alerts, the document's metrics and queries."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Shipped:
    def __init__(self) -> None:
        dashboard = json.loads((ROOT / "compose/grafana/dashboards/aladdin.json").read_text())
        self.panels = [
            (panel["title"], target["expr"].replace("$model", ".*"))
            for panel in dashboard["panels"] for target in panel.get("targets", [])
        ]
        self.variables = [one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
        document = (ROOT / "docs/metrics.md").read_text()
        self.metrics = dict(re.findall(r"\n\| `(aladdin_[a-z_]+)` \| (gauge|counter|histogram) \|", document))
        table = document.split("## What to watch", 1)[1].split("##", 1)[0]
        rows = [line for line in table.splitlines() if line.startswith("| ") and "`" in line]
        self.questions = [
            (row.split("|")[1].strip(), query.replace("\\|", "|")) for row in rows for query in re.findall(r"`([^`]+)`", row)
            # The names of histograms are not queries.
            if query not in self.metrics or self.metrics[query] != "histogram"
        ]
        self.alerts = alerts()


def alerts() -> dict[str, str]:
    """Expressions by alert."""
    text = (ROOT / "compose/prometheus/alerts.yaml").read_text()
    found = re.findall(r"- alert: (\w+)\n\s+expr: (.+)\n", text)
    checked = subprocess.run(
        ["promtool", "check", "rules", str(ROOT / "compose/prometheus/alerts.yaml")],
        text=True, stdout=subprocess.PIPE, check=True,
    )
    assert f"{len(found)} rules found" in checked.stdout, f"of {checked.stdout.strip()} only {len(found)} were read"
    return dict(found)
