"""``python -m threeport.simulated``: one process with any number of simulated clusters."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import sys

import uvloop
from aiohttp import web
from pydantic import ValidationError

from threeport.simulated.app import ClustersApp
from threeport.simulated.clusters import Clusters
from threeport.simulated.settings import Settings
from threeport.store.records import StoreUnavailable

logger = logging.getLogger("threeport.simulated")

RETRY = 1.0
"""Seconds between attempts to reach the database at the start."""

DRAIN = 2.0


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    token = settings.simulated_token_file.read_text().strip()
    if not token:
        raise SystemExit(f"{settings.simulated_token_file} is empty: it must hold the administrator's token.")
    clusters = Clusters(settings.database_url.get_secret_value(), token, prefix=settings.simulated_schema_prefix)
    await _open(clusters, stopping)
    app = ClustersApp(clusters, token, base_url=lambda: f"https://{settings.simulated_listen}").build()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=DRAIN)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    await web.TCPSite(runner, settings.host, settings.port, ssl_context=context).start()
    logger.info("Simulated clusters are served at https://%s", settings.simulated_listen)
    await stopping.wait()
    await clusters.close()
    await runner.cleanup()


async def _open(clusters: Clusters, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await clusters.open()
            break
        except StoreUnavailable as error:
            logger.warning("The database is not there yet: %s", error)
            await asyncio.sleep(RETRY)


def main() -> int:
    """Runs until a signal; 2 means that the settings are wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings()
    except ValidationError as error:
        print("\n".join(f"THREEPORT_{e['loc'][0]}: {e['msg']}".upper() for e in error.errors()), file=sys.stderr)  # noqa: T201
        return 2
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
