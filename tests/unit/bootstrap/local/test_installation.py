"""One local control plane on disk, and what it consists of."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.local.components import components
from threeport.bootstrap.local.installation import Installation, LocalSettings
from threeport.bootstrap.local.process_ids import ProcessId, end, identify, is_alive
from threeport.bootstrap.local.state import ProcessState, SupervisorState, read_state, write_state
from threeport.bootstrap.local.supervisor import SECONDS_OF_A_DAY, Supervisor


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation.named("test", home=tmp_path)
    made.prepare()
    return made


def settings(**changes: object) -> LocalSettings:
    return LocalSettings.new().model_copy(update={"database": "postgres", **changes})


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "config.yaml", "-a", "a-", "a" * 41])
def test_a_name_that_could_leave_the_home_directory_is_refused(name: str) -> None:
    with pytest.raises(BootstrapError, match="cannot be the name"):
        Installation.named(name)


def test_settings_are_kept_private_and_read_back(installation: Installation) -> None:
    made = settings(simulated=True, api_processes=3)
    installation.write_settings(made)
    assert installation.read_settings() == made
    assert installation.settings_file.stat().st_mode & 0o777 == 0o600


def test_missing_or_broken_settings_say_what_to_run(installation: Installation) -> None:
    with pytest.raises(BootstrapError, match="tptctl up"):
        installation.read_settings()
    installation.settings_file.write_text("{}")
    with pytest.raises(BootstrapError, match="--delete-data"):
        installation.read_settings()


def test_each_process_gets_only_the_secrets_that_it_needs(installation: Installation) -> None:
    (installation.agents / "eu.json").write_text("{}")
    made = settings(simulated=True)
    by_name = {component.name: component for component in components(installation, made)}
    assert list(by_name) == [
        "postgres", "nats", "api", "simulated", "controller-workload", "controller-kubernetes-runtime", "agent-eu",
    ]  # fmt: skip
    for name, component in by_name.items():
        environment = " ".join(component.server.environment().values())
        if name not in ("postgres", "nats"):
            assert (made.database_password in environment) == (name in ("api", "simulated")), name
            assert (made.nats_password in environment) == (name == "api"), name
            assert (str(installation.simulated_token) in environment) == (
                name in ("simulated", "controller-kubernetes-runtime")
            ), name
        assert made.database_password not in " ".join(component.server.command())


def test_nothing_starts_before_what_it_needs(installation: Installation) -> None:
    seen: set[str] = set()
    for component in components(installation, settings(simulated=True)):
        assert set(component.after) <= seen
        seen.add(component.name)


def test_an_agent_is_started_anew_when_its_file_changes(installation: Installation) -> None:
    file = installation.agents / "eu.json"
    fingerprints = []
    for content in ("{}", '{"token": "new"}'):
        file.write_text(content)
        fingerprints.append(components(installation, settings())[-1].fingerprint)
    assert fingerprints[0] != fingerprints[1]


def test_the_simulated_clusters_run_only_if_they_are_used(installation: Installation) -> None:
    assert "simulated" not in [component.name for component in components(installation, settings(simulated=False))]


def test_the_state_is_read_back_and_no_state_is_none(installation: Installation) -> None:
    assert read_state(installation) is None
    state = SupervisorState(supervisor=ProcessId(1, "x"), version="1", processes=[ProcessState(name="api")])
    write_state(installation, state)
    assert read_state(installation) == state
    installation.state_file.write_text("{")
    assert read_state(installation) is None


def test_a_process_is_known_by_its_id_and_the_moment_it_started() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_alive(me)
    assert not is_alive(me._replace(started="another time"))


def test_only_the_very_process_is_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    found = identify(child.pid)
    assert found is not None
    end([found._replace(started="another time")], seconds=0)
    assert child.poll() is None
    end([found], seconds=5)
    assert child.wait(5) != 0


def test_a_supervisor_looks_at_the_certificates_every_day(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.write_settings(settings())
    supervisor, now = Supervisor(installation), time.time()
    today = supervisor._changes()
    assert supervisor._changes() == today
    monkeypatch.setattr(time, "time", lambda: now + SECONDS_OF_A_DAY)
    assert supervisor._changes() != today
