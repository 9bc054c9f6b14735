"""What a local control plane keeps to itself, on a machine that others use too; and what its metrics say."""

from __future__ import annotations

import re
import ssl
import stat
import urllib.request
from pathlib import Path

import nats
import psycopg
import pytest
from nats.errors import Error as NatsError

from tests.e2e.conftest import Eventually, Tptctl
from tests.e2e.test_main_path import CONFIG_MAP, workload
from threeport.bootstrap.local.installation import Installation, LocalSettings
from threeport.client import ClientSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def installation(shared: Tptctl) -> Installation:
    """The directory of the control plane."""
    return Installation.named("default", home=shared.home)


@pytest.fixture
def settings(installation: Installation) -> LocalSettings:
    """Its ports and passwords."""
    return installation.read_settings()


def test_every_file_is_for_its_owner_only(shared: Tptctl, installation: Installation) -> None:
    directory = installation.directory
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    ours = [path for name in ("identities", "agents", "logs") for path in (directory / name).rglob("*")]
    files = [path for path in [*ours, *directory.iterdir(), shared.home / "config.yaml"] if path.is_file()]
    assert len(files) > 20
    assert [str(path) for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize("credentials", [{}, {"user": "api", "password": "guess"}], ids=["none", "wrong"])
async def test_the_broker_refuses_whoever_is_not_the_api(
    settings: LocalSettings, installation: Installation, credentials: dict[str, str]
) -> None:
    context = ssl.create_default_context(cafile=installation.identities / "ca.crt")
    url = f"tls://127.0.0.1:{settings.ports['nats']}"
    with pytest.raises(NatsError, match="Authorization"):
        await nats.connect(url, tls=context, allow_reconnect=False, connect_timeout=5, **credentials)


@pytest.mark.parametrize("password", ["", "guess"])
def test_the_database_wants_its_password(settings: LocalSettings, password: str) -> None:
    if settings.database != "postgres":
        pytest.skip("a cockroach of this machine has users of its own")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=settings.ports["postgres"], user="postgres", password=password)


def test_the_passwords_stand_in_no_log_and_on_no_command_line(
    shared: Tptctl, settings: LocalSettings, installation: Installation
) -> None:
    secrets = [settings.database_password, settings.nats_password, installation.simulated_token.read_text().strip()]
    places = [log.read_text(errors="replace") for log in installation.logs.iterdir()]
    processes = [each.process.pid for each in shared.state().processes if each.process]
    places += [Path(f"/proc/{pid}/cmdline").read_text() for pid in processes if Path(f"/proc/{pid}/cmdline").exists()]
    assert not [secret for secret in secrets for place in places if secret in place]


def test_events_come_by_the_stream_and_controllers_tell_what_waits(
    shared: Tptctl, settings: LocalSettings, eventually: Eventually
) -> None:
    before = events(shared)
    documents = "---\n".join(workload(f"metric-{number}", CONFIG_MAP % ("a", "x")) for number in range(10))
    shared.ok("apply", "-f", "-", stdin=documents)
    eventually(lambda: shared.ok("get", "workloads").count("Healthy   Healthy") >= 10)
    after = events(shared)
    shared.ok("delete", "-f", "-", stdin=documents)
    by_commit, by_stream, by_refresh = (after[source] - before[source] for source in ("commit", "stream", "refresh"))
    assert by_commit + by_stream > 50
    assert by_refresh / (by_commit + by_stream + by_refresh) < 0.01
    for controller in ("workload", "kubernetes-runtime"):
        port = settings.ports[f"metrics-{controller}"]
        eventually(lambda port=port: "0.0" in pending(port, "pending_reconciles"))  # type: ignore[misc]
        assert pending(port, "oldest_pending_seconds")


def events(shared: Tptctl) -> dict[str, float]:
    """How many events have reached the hub of the API, by source.

    Each new watch has the hub look into the database, where it may find what is still on its way through the stream:
    while this is counted, nothing but the controllers should watch.
    """
    api = ClientSettings.from_config(home=shared.home)
    context = ssl.create_default_context(cafile=api.ca_file)
    context.load_cert_chain(str(api.cert_file), api.key_file)
    with urllib.request.urlopen(f"{api.url}/metrics", context=context, timeout=10) as answer:
        found = re.findall(r'^threeport_events_total\{source="(\w+)"\} (\S+)$', answer.read().decode(), re.MULTILINE)
    return {source: float(count) for source, count in found}


def pending(port: int, name: str) -> list[str]:
    """The values of a figure that a controller serves."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return re.findall(rf"^threeport_controller_{name}\{{.*\}} (\S+)$", answer.read().decode(), re.MULTILINE)
