"""The alerts and the dashboard of ``deploy/``: figures that a hub has, rules that promtool takes, and when they fire."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from helpers.http_server import Served
from helpers.sync_server import client_of, serving

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus-alerts.yaml"
DASHBOARD = DEPLOY / "grafana-dashboard.json"
_NAME = re.compile(r"\b(?:synovia|process)_[a-z_]+\b")


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


async def test_every_figure_that_is_asked_for_is_one_that_a_hub_has() -> None:
    async with serving() as running, client_of(running) as client:
        key = (await running.app.service_keys.create("prometheus", ["operator"])).token
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        answer = await Served(running.app, running.port).ask("GET", "/metrics", token=key)
    families = text_string_to_metric_families(answer.body.decode())
    there = {sample.name for family in families for sample in family.samples}
    expressions = [each["expr"] for each in rules()]
    expressions += [target["expr"] for panel in panels() for target in panel["targets"]]
    asked = {name for each in expressions for name in _NAME.findall(each)}
    assert len(asked) > 20
    assert asked <= there, sorted(asked - there)


def test_each_alert_says_what_it_means_and_the_dashboard_is_whole() -> None:
    for rule in rules():
        assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
    assert len({panel["id"] for panel in panels()}) == len(panels()) > 15
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places)


FIRING = """
rule_files: [{alerts}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="synovia",instance="a"}}', values: '1x5 0x30'}}
      - {{series: 'synovia_log_lag_seconds{{instance="a"}}', values: '1x5 30x30'}}
      - {{series: 'synovia_calls_total{{instance="a",function="notes:list",outcome="ok"}}', values: '0+60x40'}}
      - {{series: 'synovia_calls_total{{instance="a",function="notes:list",outcome="server_error"}}', values: '0+{bad}x40'}}
      - {{series: 'synovia_calls_total{{instance="a",function="notes:list",outcome="not_found"}}', values: '0+60x40'}}
    alert_rule_test:
      - {{eval_time: 4m, alertname: SynoviaHubDown, exp_alerts: []}}
      - eval_time: 8m
        alertname: SynoviaHubDown
        exp_alerts:
          - exp_labels: {{severity: critical, job: synovia, instance: a}}
            exp_annotations:
              summary: The hub a does not answer
              description: Its clients are on other hubs, if there are any. Look at its log and at /health/live.
      - {{eval_time: 5m, alertname: SynoviaLogBehind, exp_alerts: []}}
      - eval_time: 10m
        alertname: SynoviaLogBehind
        exp_alerts:
          - exp_labels: {{severity: critical, instance: a}}
            exp_annotations:
              summary: a is 30s behind the database
              description: Clients see old data. Is the database, or its change stream, slow? Is the hub's core busy?
      - eval_time: 20m
        alertname: SynoviaCallsFail
        exp_alerts: {failing}
"""
_FAILING = """
          - exp_labels: {severity: warning, instance: a, function: 'notes:list'}
            exp_annotations:
              summary: 20% of the calls of notes:list fail on a
              description: Not for a reason of the caller. The log has each with its traceback."""


@pytest.mark.parametrize(("bad", "failing"), [(30, _FAILING), (1, "[]")])
def test_promtool_takes_them_and_they_fire_when_they_should(tmp_path: Path, bad: int, failing: str) -> None:
    promtool = shutil.which("promtool") or pytest.skip("there is no promtool (apt-get install prometheus)")
    test = tmp_path / "test.yaml"
    test.write_text(FIRING.format(alerts=ALERTS, bad=bad, failing=failing), encoding="utf-8")
    for command in (("check", "rules", str(ALERTS)), ("test", "rules", str(test))):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
