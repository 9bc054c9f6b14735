"""What the simulated API server does to built-in kinds before they are stored."""

from __future__ import annotations

from typing import Any

import pytest

from threeport.common.errors import Invalid
from threeport.krm.interfaces import Admission, Caller, Identity
from threeport.simulated.admission import BuiltInRules
from threeport.simulated.kinds import built_in_kinds
from threeport.store.records import Key


async def admitted(resource: str, new: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    kind = built_in_kinds().by_resource(resource)
    assert kind is not None
    obj = {"metadata": {"name": "it", "uid": "u"}, **new}
    await BuiltInRules().admit(
        Admission(
            caller=Caller(Identity("admin")),
            kind=kind,
            key=Key(resource, "ns", "it"),
            operation="UPDATE" if old else "CREATE",
            new=obj,
            old=old,
        )
    )
    return obj


def deployment(*, selector: str = "web", label: str = "web", image: str = "nginx") -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": label}}, "spec": {"containers": [{"name": "web", "image": image}]}}
    return {"metadata": {"name": "it"}, "spec": {"selector": {"matchLabels": {"app": selector}}, "template": template}}


async def test_a_services_address_is_allocated_and_stays() -> None:
    first = await admitted("services", {"spec": {}})
    again = await admitted("services", {"spec": {}})
    assert first["spec"]["clusterIP"].startswith("10.96.")
    assert first["spec"]["clusterIP"] == again["spec"]["clusterIP"]
    headless = await admitted("services", {"spec": {"clusterIP": "None"}})
    assert headless["spec"]["clusterIP"] == "None"


async def test_clear_text_of_a_secret_becomes_data() -> None:
    secret = await admitted("secrets", {"stringData": {"a": "x"}, "data": {"b": "eQ=="}})
    assert secret["data"] == {"a": "eA==", "b": "eQ=="}
    assert "stringData" not in secret


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        (deployment(label="other"), "spec.template.metadata.labels"),
        (deployment(image=""), "spec.template.spec.containers[0].image"),
        ({"spec": {"template": {"spec": {}}}}, "spec.selector"),
    ],
)
async def test_a_deployment_that_the_real_one_would_refuse_is_refused(obj: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        await admitted("deployments.apps", obj)
    assert error.value.causes[0].field == field


async def test_a_selector_cannot_change() -> None:
    with pytest.raises(Invalid, match="immutable"):
        await admitted("deployments.apps", deployment(selector="b", label="b"), deployment())
