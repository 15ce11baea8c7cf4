"""The files for systemd and Kubernetes agree with what a hub does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from synovia.limits.settings import HubLimits

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = DEPLOY / "synovia@.service"


def test_systemd_waits_longer_than_a_hub_takes_to_stop() -> None:
    text = UNIT.read_text(encoding="utf-8")
    patience, delay = (
        re.search(rf"{each}=(\d+)$", text, re.MULTILINE) for each in ("TimeoutStopSec", "SHUTDOWN_DELAY")
    )
    assert patience is not None
    assert delay is not None
    assert int(patience[1]) > HubLimits(shutdown_delay=int(delay[1])).stop_timeout


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze") or pytest.skip("there is no systemd")
    text = UNIT.read_text(encoding="utf-8").replace("/opt/synovia/bin/synovia", "/bin/true")
    made = tmp_path / "synovia@8001.service"
    made.write_text(text, encoding="utf-8")
    done = subprocess.run([program, "verify", "--man=no", str(made)], capture_output=True, text=True, check=False)
    assert str(made.name) not in done.stderr, done.stderr


def test_kubernetes_probes_what_there_is_and_waits_for_the_stop() -> None:
    documents: list[dict[str, Any]] = [*yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))]
    assert [each["kind"] for each in documents] == ["Deployment", "Service", "PodDisruptionBudget"]
    pod = documents[0]["spec"]["template"]
    [container] = pod["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    [delay] = [each["value"] for each in container["env"] if each["name"] == "SYNOVIA_LIMITS_SHUTDOWN_DELAY"]
    assert pod["spec"]["terminationGracePeriodSeconds"] > HubLimits(shutdown_delay=int(delay)).stop_timeout
    labels = pod["metadata"]["labels"]
    assert documents[0]["spec"]["selector"]["matchLabels"] == documents[1]["spec"]["selector"] == labels


def test_traefik_is_told_of_both_hubs() -> None:
    http = yaml.safe_load((DEPLOY / "traefik.yaml").read_text(encoding="utf-8"))["http"]
    balancer = http["services"]["synovia"]["loadBalancer"]
    assert (len(balancer["servers"]), balancer["healthCheck"]["path"]) == (2, "/health")
    assert http["routers"]["synovia"]["middlewares"] == [*http["middlewares"]]
