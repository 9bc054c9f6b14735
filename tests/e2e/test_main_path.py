"""What a user does with an application: apply it, see it healthy, change it, delete it."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.e2e.conftest import Eventually, Tptctl

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: %s}
data: {key: %s}
"""


def workload(name: str, *manifests: str) -> str:
    spec = {"manifests": list(manifests)}
    document = {"apiVersion": "threeport.io/v1alpha1", "kind": "Workload", "metadata": {"name": name}, "spec": spec}
    return yaml.safe_dump(document)


def test_a_changed_application_is_configured_rolled_out_and_pruned(shared: Tptctl) -> None:
    assert shared.ok(
        "apply", "-f", "-", stdin=workload("change", CONFIG_MAP % ("a", "x"), CONFIG_MAP % ("b", "x"))
    ) == ("workload/change created\n")
    shared.ok("wait", "workload/change", "--timeout", "60s")
    changed = workload("change", CONFIG_MAP % ("a", "y"), CONFIG_MAP % ("c", "x"))
    assert shared.ok("apply", "-f", "-", stdin=changed) == "workload/change configured\n"
    shared.ok("wait", "workload/change", "--timeout", "60s")
    instance = shared.object("workloadinstance", "change")
    names = {item["name"] for item in instance["status"]["inventory"] if item["kind"] == "ConfigMap"}  # type: ignore[index]
    assert names == {"a", "c"}
    assert "ConfigMap/a" in shared.ok("describe", "workload", "change")
    assert shared.ok("delete", "workload", "change") == "workload/change deleted\n"


def test_objects_are_shown_in_every_form(shared: Tptctl) -> None:
    shared.ok("apply", "-f", "-", stdin=workload("forms", CONFIG_MAP % ("a", "x")))
    table = shared.ok("get", "workloads")
    assert table.splitlines()[0].split()[:2] == ["NAME", "READY"]
    assert "MESSAGE" in shared.ok("get", "wl", "-o", "wide")
    assert shared.ok("get", "workload", "forms", "-o", "name") == "workload/forms\n"
    assert yaml.safe_load(shared.ok("get", "workload/forms", "-o", "yaml"))["kind"] == "Workload"
    assert json.loads(shared.ok("get", "Workloads", "-A", "-o", "json"))["kind"] == "List"
    everything = shared.ok("get", "all", "-A")
    assert "workloadinstance/forms" in everything
    assert "kubernetesruntimeinstance/local" in everything
    shared.ok("delete", "workload/forms")


def test_a_watch_shows_what_changes(shared: Tptctl, eventually: Eventually, tmp_path: Path) -> None:
    watch = shared.start("get", "workloads", "-o", "name", "-w")
    try:
        shared.ok("apply", "-f", "-", stdin=workload("watched", CONFIG_MAP % ("a", "x")))
        assert watch.stdout is not None
        assert watch.stdout.readline().strip() == "workload/watched"
    finally:
        watch.kill()
        watch.communicate()
    shared.ok("delete", "workload/watched")


def test_a_dry_run_changes_nothing(shared: Tptctl) -> None:
    document = workload("dry", CONFIG_MAP % ("a", "x"))
    assert shared.ok("apply", "--dry-run", "-f", "-", stdin=document) == "workload/dry created (server dry run)\n"
    assert shared("get", "workload", "dry").code == 3


def test_status_shows_every_part_and_says_that_the_runtime_is_simulated(shared: Tptctl) -> None:
    text = shared.ok("status")
    for part in ("nats", "api", "simulated", "controller-workload", "agent-local", "API: ok", "no real pods"):
        assert part in text
    assert "api" in shared.ok("control-plane", "logs").splitlines()
    assert "listening" in shared.ok("control-plane", "logs", "api", "--tail", "100000")
    assert shared("control-plane", "logs", "nothing").code == 3


def test_the_kubeconfig_opens_the_api_to_other_clients(shared: Tptctl) -> None:
    config = yaml.safe_load(shared.ok("config", "kubeconfig"))
    assert config["current-context"] == "threeport-default"
    assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    assert "API v" in shared.ok("version")
