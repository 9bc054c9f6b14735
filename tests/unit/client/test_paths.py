"""Where objects live on the server."""

from __future__ import annotations

import pytest

from threeport.client.paths import collection_path, object_path
from threeport.common.errors import BadRequest
from threeport.resources.core import Namespace
from threeport.resources.model import kind_of
from threeport.resources.workload import Workload


def test_paths_follow_group_scope_and_subresource() -> None:
    assert collection_path(kind_of(Namespace), "x") == "/api/v1/namespaces"
    assert collection_path(kind_of(Workload)) == "/apis/threeport.io/v1alpha1/workloads"
    assert (
        object_path(kind_of(Workload), "w", "team", "status")
        == "/apis/threeport.io/v1alpha1/namespaces/team/workloads/w/status"
    )


@pytest.mark.parametrize("name", ["a/b", "../secrets", "a?watch=true", "a%2fb", "ä"])
def test_a_name_never_leaves_its_place_in_the_path(name: str) -> None:
    path = object_path(kind_of(Workload), name, "default")
    assert path.startswith("/apis/threeport.io/v1alpha1/namespaces/default/workloads/")
    assert path.count("/") == 7
    assert "?" not in path


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        object_path(kind_of(Workload), name, "default")


def test_a_namespaced_object_needs_a_namespace() -> None:
    with pytest.raises(BadRequest, match="namespace"):
        object_path(kind_of(Workload), "w")
