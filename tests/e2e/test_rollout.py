"""Following a change of an application, seeing what it was before, and going back."""

from __future__ import annotations

from tests.e2e.conftest import Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload


def test_a_change_is_followed_and_undone(shared: Tptctl) -> None:
    for value in ("red", "blue"):
        shared.ok("apply", "-f", "-", stdin=workload("roll", CONFIG_MAP % ("a", value)))
        said = shared.ok("rollout", "status", "workload/roll", "--timeout", "60s")
        assert "runs revision" in said
        assert "ready" in said
    assert "runs revision 2 of 2" in said
    lines = shared.ok("rollout", "history", "workload", "roll").splitlines()
    assert [line.split()[0] for line in lines] == ["REVISION", "1", "2"]
    assert "roll" in lines[2]
    assert "ConfigMap/a" in lines[1]
    assert "went back to revision 1" in shared.ok("rollout", "undo", "workload/roll")
    assert "runs revision 3 of 3" in shared.ok("rollout", "status", "workload/roll", "--timeout", "60s")
    manifests = shared.object("workload", "roll")["spec"]["manifests"]  # type: ignore[index]
    assert manifests[0]["data"] == {"key": "red"}
    assert "unchanged" in shared.ok("rollout", "undo", "workload/roll", "--to-revision", "1")
    assert shared("rollout", "undo", "workload/roll", "--to-revision", "9").code == 3
    refused = shared("rollout", "undo", "workloadinstance/roll")
    assert refused.code == 1
    assert "workload/roll" in refused.err
    assert shared("rollout", "status", "runtime/local").code == 2
    shared.ok("delete", "workload", "roll")
