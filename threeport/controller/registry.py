"""From the name of a controller to its handlers: ``kubernetes-runtime`` is the module ``operators.kubernetes_runtime``.

An operator is written as kopf's documentation has it, with ``@kopf.on.create(...)`` on plain functions. Here its
module is imported with a registry of its own as kopf's default, so that several operators run in one process.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import kopf

from threeport.client import ConfigError
from threeport.controller.controller import Controller
from threeport.controller.environment import connection_info
from threeport.controller.installed import added_controllers
from threeport.controller.metrics import watch_pending
from threeport.controller.settings import configure
from threeport.resources import load_catalog


def load_registry(controller: str) -> kopf.OperatorRegistry:
    """The handlers of a controller, together with those that every controller has. To be called once per process.

    Raises `ConfigError` if there is no such controller.
    """
    registry, usual = kopf.OperatorRegistry(), kopf.get_default_registry()
    kopf.set_default_registry(registry)
    try:
        importlib.import_module(_module_of(controller))
    finally:
        kopf.set_default_registry(usual)
    _add_common_handlers(registry, controller)
    watch_pending(registry, controller, [kind for kind in load_catalog() if kind.controller == controller])
    return registry


def _module_of(controller: str) -> str:
    """The module to import; of a package, the part called ``handlers``."""
    for point in added_controllers():
        if point.name == controller:
            return point.value
    module = f"operators.{controller.replace('-', '_')}"
    found = find_spec(module)
    if found is None:
        raise ConfigError(f"There is no controller {controller!r}: no module {module}, and no entry point of its name.")
    return f"{module}.handlers" if found.submodule_search_locations is not None else module


def _add_common_handlers(registry: kopf.OperatorRegistry, controller: str) -> None:
    @kopf.on.startup(registry=registry)
    async def set_up(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings, controller)

    @kopf.on.login(registry=registry)
    async def log_in(memo: kopf.Memo, **_: Any) -> kopf.ConnectionInfo:
        """The way in is by the door of the lease. A second login means that the API no longer accepts it: end."""
        at_work: Controller = memo.controller
        if at_work.logged_in:
            at_work.refused.set()
            raise kopf.PermanentError("The API no longer accepts this login; the operator ends and starts anew.")
        at_work.logged_in = True
        api = at_work.client.settings
        return connection_info(api.with_prefix(at_work.lease.door) if at_work.lease else api)
