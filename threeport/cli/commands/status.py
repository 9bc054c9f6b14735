"""``tptctl status``: the parts of a control plane, whether they answer, and the clusters that it knows."""

from __future__ import annotations

import click
import orjson

import threeport
from threeport.bootstrap.local.control_plane import current_state
from threeport.bootstrap.local.installation import Installation
from threeport.bootstrap.local.process_ids import is_alive
from threeport.bootstrap.local.state import read_state
from threeport.bootstrap.runtimes import SIMULATED
from threeport.cli.console import age_since, columns, result
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.session import named_option, run
from threeport.cli.waiting import condition
from threeport.client import Client
from threeport.client.config import Configuration, ControlPlaneEntry
from threeport.common.errors import ApiError
from threeport.common.types import JsonObject
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of

PROBE_SECONDS = 5.0


@click.command()
@named_option
def command(name: str | None) -> None:
    """Show the parts of the control plane, their health, and the runtimes. Exit code 1 if something does not run."""
    entry = Configuration.read().control_plane(name)
    result(f"Control plane {entry.name} ({entry.provider}) at {entry.url}, tptctl {threeport.__version__}")
    processes_well = _show_processes(entry) if entry.provider == "local" else True
    api_well = run(_show_api(entry))
    if not processes_well or not api_well:
        raise CliError(
            f"Not everything runs. Look with `tptctl control-plane logs COMPONENT --name {entry.name}`; "
            f"`tptctl up --name {entry.name}` starts what is missing."
        )


def _show_processes(entry: ControlPlaneEntry) -> bool:
    installation = Installation.named(entry.name)
    state = current_state(installation)
    if state is None:
        raise CliError(
            f"{_without_supervisor(installation)} Start it with `tptctl up --name {entry.name}`.", ExitCode.UNREACHABLE
        )
    rows = [
        [process.name, process.phase, str(process.process.pid) if process.process else "", process.address,
         str(process.restarts), age_since(process.since), process.message]
        for process in state.processes
    ]  # fmt: skip
    result("")
    for line in columns(["Component", "State", "Process", "Address", "Restarts", "Since", "Message"], rows):
        result(line)
    return all(process.phase == "Ready" for process in state.processes)


def _without_supervisor(installation: Installation) -> str:
    """What to say where no supervisor runs: it was stopped, or killed, and then its processes may be left."""
    before = read_state(installation)
    left = [one.name for one in before.processes if one.process and is_alive(one.process)] if before else []
    return f"Its supervisor was killed; {', '.join(left)} are left, uncared for." if left else "It is not running."


async def _show_api(entry: ControlPlaneEntry) -> bool:
    async with Client(entry.client_settings()) as client:
        try:
            checks = orjson.loads(await client.get_path("/readyz?verbose=true", timeout=PROBE_SECONDS))
            version = orjson.loads(await client.get_path("/version", timeout=PROBE_SECONDS))
            runtimes = (await client.list(kind_of(KubernetesRuntimeInstance))).items
        except ApiError as error:
            result(f"\nAPI: {error}")
            return False
    result(f"\nAPI: {checks['status']}, version {version.get('threeportVersion') or version.get('gitVersion')}")
    for name, check in (checks.get("checks") or {}).items():
        if check["status"] != "ok":
            result(f"  {name}: {check['status']}: {check.get('detail', '')}")
    _show_runtimes(runtimes)
    return True  # degraded is said above, and still of use


def _show_runtimes(runtimes: list[JsonObject]) -> None:
    result("")
    if not runtimes:
        result("No runtime yet: add one with `tptctl runtime add NAME --kubeconfig FILE`.")
        return
    for line in columns(["Runtime", "Ready", "Default", "Provider", "Version", "Message"], list(map(_row, runtimes))):
        result(line)


def _row(runtime: JsonObject) -> list[str]:
    spec, status = runtime["spec"], runtime.get("status") or {}
    ready = condition(runtime, "Ready") or {}
    provider = spec["definitionRef"]["name"]
    return [
        runtime["metadata"]["name"],
        ready.get("status", "Unknown"),
        "yes" if spec.get("defaultRuntime") else "",
        "simulated (no real pods)" if provider == SIMULATED else provider,
        status.get("kubernetesVersion") or "",
        "" if ready.get("status") == "True" else ready.get("message") or "",
    ]
