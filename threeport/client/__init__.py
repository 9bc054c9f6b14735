"""The public client of the API, asynchronous and typed.

async with Client(ClientSettings.from_config()) as client:
    workload = await client.get(Workload, "wordpress", namespace="default")
"""

from threeport.client.client import Client, Listed
from threeport.client.config import ClientSettings, ConfigError
from threeport.client.errors import Unreachable
from threeport.client.transactions import Operation
from threeport.client.watch import WatchEvent

__all__ = ["Client", "ClientSettings", "ConfigError", "Listed", "Operation", "Unreachable", "WatchEvent"]
