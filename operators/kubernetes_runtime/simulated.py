"""The provider ``simulated``: clusters served by the installation's own process, made and removed by PUT and DELETE."""

from __future__ import annotations

from operators.kubernetes_runtime.settings import RuntimeSettings
from threeport.client import Client, ClientSettings, Unreachable
from threeport.common.errors import ApiError, NotFound
from threeport.common.ids import derived_name
from threeport.common.types import FrozenJson
from threeport.controller.cycle import Refused, Waiting
from threeport.kube.access import ClusterAccess


async def ensure_simulated(settings: RuntimeSettings, runtime: FrozenJson) -> ClusterAccess:
    """Makes the cluster if it is not there, and returns the access to it. Raises `Refused` or `Waiting`."""
    server = _server(settings)
    path = _path(runtime)
    await _call(server, "PUT", path)
    return ClusterAccess(endpoint=server.url + path, certificate_authority=settings.ca() or None, token=server.token)


async def remove_simulated(settings: RuntimeSettings, runtime: FrozenJson) -> None:
    """Removes the cluster with all that is in it; gone is no error."""
    await _call(_server(settings), "DELETE", _path(runtime))


def _server(settings: RuntimeSettings) -> ClientSettings:
    if not settings.simulated_url or settings.simulated_token_file is None:
        raise Refused(
            "NoSimulatedClusters",
            "this installation has no simulated clusters (THREEPORT_SIMULATED_URL is not set for its controller); "
            "use a runtime of infraProvider kubeconfig",
        )
    return ClientSettings(
        url=settings.simulated_url.rstrip("/"),
        ca_file=str(settings.ca_file) if settings.ca_file else None,
        token=settings.simulated_token_file.read_text().strip(),
    )


def _path(runtime: FrozenJson) -> str:
    metadata = runtime["metadata"]
    return f"/clusters/{derived_name(metadata['name'].replace('.', '-'), metadata['uid'], limit=40)}"


async def _call(server: ClientSettings, method: str, path: str) -> None:
    async with Client(server) as client:
        try:
            await client.post_path(path, method=method)
        except NotFound:
            if method != "DELETE":
                raise
        except (Unreachable, ApiError) as error:
            raise Waiting("SimulatorAway", f"the process that simulates clusters says: {error.message}") from error
