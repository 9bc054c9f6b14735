"""Errors of an apply in terms of the files that were given."""

from __future__ import annotations

from threeport.cli.applying import _explained
from threeport.cli.documents import Document
from threeport.cli.targets import targets_of
from threeport.common.errors import Invalid
from threeport.resources import load_catalog


def _workload(namespace: str) -> Document:
    metadata = {"name": "shop", "namespace": namespace}
    obj = {"apiVersion": "threeport.io/v1alpha1", "kind": "Workload", "metadata": metadata}
    return Document(obj=obj, origin=f"{namespace}.yaml")


def test_of_two_objects_of_one_name_the_error_names_the_file_of_the_one_that_it_is_about() -> None:
    documents = [_workload("east"), _workload("west")]
    targets = targets_of(documents, load_catalog(), "default")
    origins = {id(target): document for target, document in zip(targets, documents, strict=True)}
    error = Invalid("operation 1 (apply workloads west/shop): spec is missing")
    assert str(_explained(error, targets, origins)) == "west.yaml: workload/shop: spec is missing"
