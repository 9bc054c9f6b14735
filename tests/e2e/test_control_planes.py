"""Control planes as a whole: starting, stopping, being killed, standing side by side."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Eventually, Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload
from threeport.bootstrap.local import certificates
from threeport.bootstrap.local.certificates import Certificate
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.bootstrap.local.installation import Installation
from threeport.bootstrap.local.process_ids import is_alive
from threeport.bootstrap.local.state import Phase, ProcessState

pytestmark = pytest.mark.slow


def all_ready(tptctl: Tptctl) -> dict[str, ProcessState]:
    """The processes by their names, all as of one moment; none as long as one of them is not ready."""
    processes = tptctl.state().processes
    return {each.name: each for each in processes} if all(each.phase == Phase.READY for each in processes) else {}


def test_a_control_plane_goes_on_with_its_data_and_leaves_nothing_when_it_is_deleted(tptctl: Tptctl) -> None:
    assert tptctl.ok("up") == ""
    tptctl.ok("apply", "-f", "-", stdin=workload("kept", CONFIG_MAP % ("a", "x")))
    tptctl.ok("wait", "workload/kept", "--timeout", "60s")
    processes = [process.process for process in tptctl.state().processes]
    tptctl.ok("down")
    assert not any(is_alive(process) for process in processes if process)
    assert tptctl("get", "workloads").code == 5
    assert tptctl("status").code == 5
    tptctl.ok("up")
    tptctl.ok("wait", "workload/kept", "--timeout", "60s")
    tptctl.ok("delete", "workload/kept")
    tptctl.ok("down", "--delete-data")
    assert not (tptctl.home / "default").exists()
    assert yaml.safe_load((tptctl.home / "config.yaml").read_text()) == {"current": None, "controlPlanes": {}}


def test_two_control_planes_stand_side_by_side(tptctl: Tptctl) -> None:
    for name in ("one", "two"):
        tptctl.ok("up", "--name", name)
        tptctl.ok("apply", "-f", "-", stdin=workload(f"of-{name}", CONFIG_MAP % ("a", "x")))
    assert tptctl.ok("get", "workloads", "-o", "name") == "workload/of-two\n"
    assert tptctl.ok("get", "workloads", "-o", "name", "--control-plane", "one") == "workload/of-one\n"
    tptctl.ok("config", "use-control-plane", "one")
    assert tptctl.ok("get", "workloads", "-o", "name") == "workload/of-one\n"
    tptctl.ok("down", "--name", "one", "--delete-data")
    assert tptctl.ok("get", "workloads", "-o", "name") == "workload/of-two\n"
    lines = tptctl.ok("config", "get-control-planes").splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["*", "two"]]


def test_ups_at_the_same_time_start_one_control_plane(tptctl: Tptctl) -> None:
    commands = [tptctl.start("up") for _ in range(3)]
    assert [command.wait(120) for command in commands] == [0, 0, 0]
    for command in commands:
        command.communicate()
    pid = tptctl.state().supervisor.pid
    tptctl.ok("up")
    assert tptctl.state().supervisor.pid == pid


def test_an_interrupted_up_is_continued_by_the_next(tptctl: Tptctl, eventually: Eventually) -> None:
    command = tptctl.start("up")
    eventually(lambda: (tptctl.home / "default" / "state.json").exists())
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "Traceback" not in err
    tptctl.ok("up")
    tptctl.ok("status")


@pytest.mark.parametrize(
    "component",
    ["postgres", "nats", "api", "simulated", "controller-workload", "controller-kubernetes-runtime", "agent-local"],
)
def test_a_killed_component_comes_back_and_the_application_becomes_ready(
    shared: Tptctl, eventually: Eventually, component: str
) -> None:
    name = f"after-{component}"
    before = shared.process(component)
    apply = shared.start("apply", "-f", "-")
    os.kill(before.pid, signal.SIGKILL)
    apply.communicate(workload(name, CONFIG_MAP % ("a", "x")), timeout=60)
    eventually(lambda: component in (now := all_ready(shared)) and now[component].process != before)
    shared.ok("apply", "-f", "-", stdin=workload(name, CONFIG_MAP % ("a", "x")))
    shared.ok("wait", f"workload/{name}", "--timeout", "90s")
    shared.ok("delete", f"workload/{name}")


def test_what_loses_its_port_to_another_program_takes_another_and_all_follow(
    tptctl: Tptctl, eventually: Eventually
) -> None:
    tptctl.ok("up")
    lose_port(tptctl, "nats", last_to_follow="api", eventually=eventually)
    lose_port(tptctl, "api", last_to_follow="agent-local", eventually=eventually)
    assert all_ready(tptctl)["api"].address in tptctl.ok("status")
    tptctl.ok("apply", "-f", "-", stdin=workload("moved", CONFIG_MAP % ("a", "x")))
    tptctl.ok("wait", "workload/moved", "--timeout", "90s")


def lose_port(tptctl: Tptctl, component: str, *, last_to_follow: str, eventually: Eventually) -> None:
    """Takes the port; returns once the component has another and all are ready, the last to learn of it started anew.

    Until that one is told, all are ready for a moment: the agent learns of a new API from a controller that found it.
    """
    eventually(lambda: last_to_follow in all_ready(tptctl))
    before = {each.name: each for each in tptctl.state().processes}

    def all_follow() -> bool:
        now = all_ready(tptctl)
        return (
            {component, last_to_follow} <= now.keys()
            and now[component].address != before[component].address
            and now[last_to_follow].process != before[last_to_follow].process
        )

    with taken_from(tptctl.pid(component), before[component].address):
        eventually(all_follow)


@contextmanager
def taken_from(pid: int, address: str) -> Iterator[None]:
    """Kills the process and listens where it did, before it is started again."""
    host, _, port = address.partition(":")
    os.kill(pid, signal.SIGKILL)
    with socket.socket() as intruder:
        intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deadline = time.monotonic() + 10
        while True:
            try:
                intruder.bind((host, int(port)))
                break
            except OSError:
                assert time.monotonic() < deadline, f"{address} was not free for a moment"
        intruder.listen()
        yield


def test_a_killed_supervisor_leaves_a_working_api_and_up_takes_over(tptctl: Tptctl) -> None:
    tptctl.ok("up")
    before = tptctl.state()
    os.kill(before.supervisor.pid, signal.SIGKILL)
    tptctl.ok("get", "workloads")
    assert tptctl("status").code == 5
    tptctl.ok("up")
    after = tptctl.state()
    assert after.supervisor != before.supervisor
    assert not any(is_alive(process.process) for process in before.processes if process.process)
    os.kill(after.supervisor.pid, signal.SIGKILL)
    assert "is stopped" in tptctl("down").err
    assert not any(is_alive(process.process) for process in after.processes if process.process)


def test_certificates_that_are_about_to_expire_are_renewed_while_the_control_plane_runs(
    tptctl: Tptctl, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    tptctl.ok("up")
    before = all_ready(tptctl)
    directory = Installation.named("default", home=tptctl.home).identities
    files = IdentityFiles(directory)
    authority = Certificate(files.authority.certificate.read_bytes(), files.authority.key.read_bytes())
    monkeypatch.setattr(certificates, "LEAF_LIFE", certificates.RENEW_BEFORE)
    ending = certificates.issue_server(authority, hosts=("127.0.0.1", "localhost"))
    files.server.key.write_bytes(ending.key)
    files.server.certificate.write_bytes(ending.certificate)
    eventually(lambda: certificates.is_current(files.server.certificate.read_bytes()))
    eventually(lambda: bool(all_ready(tptctl)) and all_ready(tptctl)["api"].process != before["api"].process)
    host, port = all_ready(tptctl)["api"].address.split(":")
    assert ssl.get_server_certificate((host, int(port))) == files.server.certificate.read_text()
    controller = "controller-workload"
    assert all_ready(tptctl)[controller].process == before[controller].process
    tptctl.ok("get", "workloads")


def test_a_kubeconfig_that_cannot_be_used_starts_nothing(tmp_path: Path) -> None:
    tptctl = Tptctl(tmp_path / "home", usual_ports=True)
    answer = tptctl("up", "--kubeconfig", str(tmp_path / "none"))
    assert answer.code == 1
    assert "cannot be read" in answer.err
    assert not (tptctl.home / "default").exists()


def test_api_processes_share_the_port_and_one_of_them_may_be_killed(tptctl: Tptctl, eventually: Eventually) -> None:
    tptctl.ok("up", "--api-processes", "2")
    os.kill(tptctl.pid("api-0"), signal.SIGKILL)
    for number in range(5):
        tptctl.ok("apply", "-f", "-", stdin=workload(f"w{number}", CONFIG_MAP % ("a", "x")))
    eventually(lambda: bool(all_ready(tptctl)))
    tptctl.ok("up", "--api-processes", "1")
    names = [process.name for process in tptctl.state().processes]
    assert "api" in names
    assert "api-0" not in names
    assert len(tptctl.ok("get", "workloads", "-o", "name").splitlines()) == 5
