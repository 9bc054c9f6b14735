"""What an instance asks of its cluster: its definition, patched and rendered for what that cluster knows."""

from __future__ import annotations

from collections import Counter

from operators.workload.inventory import id_of, item_of
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
    identity = Identity(
        definition=definition["metadata"]["name"],
        instance=metadata["name"],
        uid=metadata["uid"],
        runtime=place.runtime,
    )
    if any(manifest["kind"] == "CustomResourceDefinition" for manifest in manifests):
        place.cluster.look_again_for_kinds()
    desired = render(manifests, await scopes_of(place.cluster, manifests), identity)
    refuse_duplicates(desired)
    return desired


def refuse_duplicates(desired: Desired) -> None:
    """Raises `Refused` for manifests that are the same object in this cluster, though they are not as they are written:
    one of them names the namespace that the other one gets, or names one for a kind that is in none."""
    counts = Counter(id_of(item_of(manifest)) for manifest in desired.manifests)
    twice = [str(identity) for identity, count in counts.items() if count > 1]
    if twice:
        raise Refused(
            "InvalidManifests",
            f"{', '.join(twice)}: given more than once, with a namespace and without, which is the same object in this "
            "cluster; remove all but one",
        )
