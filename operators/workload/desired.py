"""What an instance asks of its cluster: its definition, patched and rendered for what that cluster knows."""

from __future__ import annotations

from operators.workload.observation import scopes_of
from operators.workload.patching import patched
from operators.workload.placement import Place
from operators.workload.rendering import Desired, Identity, render
from threeport.common.errors import Invalid
from threeport.common.types import FrozenJson
from threeport.controller.cycle import Refused
from threeport.resources.manifests import split_manifests


async def desired_of(place: Place, definition: FrozenJson, instance: FrozenJson) -> Desired:
    """All that has to be in the cluster. Raises `Refused` for manifests or patches that are none."""
    try:
        manifests = split_manifests(definition["spec"]["manifests"])
    except Invalid as error:
        raise Refused("InvalidManifests", error.message) from None
    manifests = patched(manifests, instance["spec"].get("patches") or ())
    metadata = instance["metadata"]
    identity = Identity(definition=definition["metadata"]["name"], instance=metadata["name"], uid=metadata["uid"])
    if any(manifest["kind"] == "CustomResourceDefinition" for manifest in manifests):
        place.cluster.look_again_for_kinds()
    return render(manifests, await scopes_of(place.cluster, manifests), identity)
