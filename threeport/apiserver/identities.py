"""Who may call the API: the names and groups that certificates and tokens carry.

A client certificate says the name in its CN and the groups in its O's; a token in ``sub`` and ``groups``.
"""

from __future__ import annotations

from typing import Final

from threeport.krm.interfaces import Identity

ADMINS: Final = "threeport:admins"
CONTROLLERS: Final = "threeport:controllers"
AGENTS: Final = "threeport:agents"
VIEWERS: Final = "threeport:viewers"

_CONTROLLER_PREFIX: Final = "controller:"
_AGENT_PREFIX: Final = "agent:"
_VIEWER_PREFIX: Final = "viewer:"


def admin() -> Identity:
    """The administrator of the installation."""
    return Identity("admin", (ADMINS,))


def controller(name: str) -> Identity:
    """The controller of this name (``workload``)."""
    return Identity(f"{_CONTROLLER_PREFIX}{name}", (CONTROLLERS,))


def agent(runtime: str) -> Identity:
    """The agent in the cluster of this KubernetesRuntimeInstance."""
    return Identity(f"{_AGENT_PREFIX}{runtime}", (AGENTS,))


def viewer(name: str) -> Identity:
    """A person who looks and changes nothing."""
    return Identity(f"{_VIEWER_PREFIX}{name}", (VIEWERS,))


def is_admin(identity: Identity) -> bool:
    """Whether the identity administers the installation."""
    return ADMINS in identity.groups


def controller_of(identity: Identity) -> str | None:
    """The name of the controller that the identity is, or None: its name and its group must both say so."""
    return _named(identity, CONTROLLERS, _CONTROLLER_PREFIX)


def runtime_of(identity: Identity) -> str | None:
    """The runtime whose agent the identity is, or None."""
    return _named(identity, AGENTS, _AGENT_PREFIX)


def is_viewer(identity: Identity) -> bool:
    """Whether the identity may look: its name and its group must both say so."""
    return _named(identity, VIEWERS, _VIEWER_PREFIX) is not None


def _named(identity: Identity, group: str, prefix: str) -> str | None:
    if group not in identity.groups or not identity.name.startswith(prefix):
        return None
    return identity.name.removeprefix(prefix) or None
