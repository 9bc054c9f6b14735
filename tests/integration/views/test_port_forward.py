"""``tptctl port-forward`` against a real kube-apiserver, which asks the node's kubelet."""

from __future__ import annotations

import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.views.conftest import Team
from tests.integration.views.kubelet import Kubelet, deployment, service


@pytest.fixture
def web(team: Team, real_runtime: str, kubelet: Kubelet) -> str:
    """A workload with a Service before one pod, and another pod beside it."""
    team.deploy("web", [deployment("web"), service("web"), deployment("other")], runtime=real_runtime)
    return "workload/web"


def test_a_port_of_a_pod_or_of_a_service_is_reached_by_any_number_of_connections(team: Team, web: str) -> None:
    with _forwarded(team, web, "deployment/web", ":80") as url:
        for path in ("/first", "/second"):
            assert _page(url + path) == f"you asked for {path}\n"
    for word in ("service/web", "svc/web"):
        with _forwarded(team, web, word, "0:8080") as url:
            assert _page(url + "/by-service") == "you asked for /by-service\n"


def test_ctrl_c_is_how_it_ends_and_nothing_is_said_of_it(team: Team, web: str) -> None:
    command = team.whole.tptctl.start("port-forward", web, "deploy/web", ":80", "-n", team.namespace)
    assert command.stdout is not None
    _url(command.stdout.readline())
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=10)
    assert (command.returncode, err) == (130, "")


def test_what_goes_wrong_in_the_cluster_ends_the_connection_and_is_said(team: Team, web: str) -> None:
    command = team.whole.tptctl.start("port-forward", web, "deployment/web", ":81", "-n", team.namespace)
    assert command.stdout is not None
    url = _url(command.stdout.readline())
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        _page(url)
    command.terminate()
    _, err = command.communicate(timeout=10)
    assert "nothing listens on 81" in err
    assert "Traceback" not in err


def test_what_cannot_be_forwarded_is_refused_before_a_port_is_opened(team: Team, web: str) -> None:
    refused = team("port-forward", web, "service/web", ":81")
    assert (refused.code, refused.out) == (1, "")
    assert "Service web has no port 81. It has 8080." in refused.err
    guess = team("port-forward", web, "9999")
    assert "No pod of web declares port 9999" in guess.err
    assert team("port-forward", web, "deployment/web").code == 2


def test_simulated_pods_have_no_ports(team: Team) -> None:
    team.deploy("toy", [deployment("toy")], runtime="local")
    refused = team("port-forward", "workload/toy", "8080:80")
    assert (refused.code, refused.out) == (1, "")
    assert "a simulated cluster" in refused.err


@contextmanager
def _forwarded(team: Team, *arguments: str) -> Iterator[str]:
    """Runs `tptctl port-forward`; gives the URL of the port on this machine."""
    command = team.whole.tptctl.start("port-forward", *arguments, "-n", team.namespace)
    assert command.stdout is not None
    try:
        yield _url(command.stdout.readline())
    finally:
        command.terminate()
        _, err = command.communicate(timeout=10)
    assert err == ""


def _url(line: str) -> str:
    match = re.match(r"(127\.0\.0\.1:\d+) leads to port \d+ of pod ", line)
    assert match, line
    return f"http://{match[1]}"


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())
