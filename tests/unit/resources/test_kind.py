"""Kinds made from models, and the catalog that finds them."""

from __future__ import annotations

from typing import Annotated

import pytest

from threeport.resources import load_catalog
from threeport.resources.kind import Catalog, Kind
from threeport.resources.model import Reference, ReferenceMark, Resource, Sensitive, Shape, kind_of, resource


class _Part(Shape):
    secret: Sensitive[str]


class _Spec(Shape):
    target: Annotated[Reference, ReferenceMark("gadgets.example.org", namespaced=True)]
    password: Sensitive[str | None] = None
    parts: list[_Part] = []


@resource(plural="widgets", group="example.org", version="v1", short_names=("wdg",))
class Widget(Resource):
    """A thing made of parts."""

    spec: _Spec


def test_marks_are_found_at_their_paths_even_inside_lists() -> None:
    kind = kind_of(Widget)
    assert set(kind.sensitive) == {("spec", "password"), ("spec", "parts", "*", "secret")}
    assert [(ref.path, ref.resource) for ref in kind.references] == [(("spec", "target"), "gadgets.example.org")]


def test_the_schema_is_structural() -> None:
    spec = kind_of(Widget).schema["properties"]["spec"]
    assert spec["required"] == ["target"]
    assert spec["properties"]["password"] == {"type": "string"}
    assert spec["properties"]["parts"]["items"]["properties"] == {"secret": {"type": "string"}}
    assert "$ref" not in str(spec)
    assert "anyOf" not in str(spec)


def test_a_kind_without_a_status_field_has_no_status_subresource() -> None:
    assert not kind_of(Widget).has_status


@pytest.mark.parametrize("word", ["widgets", "widget", "wdg", "Widget", "WIDGETS", "widgets.example.org"])
def test_a_kind_is_found_by_whatever_a_person_types(word: str) -> None:
    assert Catalog([kind_of(Widget)]).by_word(word) is kind_of(Widget)


def test_a_kind_is_found_by_its_path_and_version() -> None:
    catalog = Catalog([kind_of(Widget)])
    assert catalog.by_path("example.org", "v1", "widgets") is kind_of(Widget)
    assert catalog.by_path("example.org", "v2", "widgets") is None
    assert catalog.by_kind("example.org/v1", "Widget") is kind_of(Widget)


def test_a_catalog_counts_its_changes() -> None:
    catalog = Catalog()
    catalog.add(Kind(kind="Thing", plural="things", singular="thing"))
    catalog.remove("things")
    catalog.remove("things")
    assert catalog.generation == 2
    assert list(catalog) == []


def test_no_two_kinds_share_a_word() -> None:
    words = [word for kind in load_catalog() for word in (kind.plural, kind.singular, *kind.short_names)]
    assert len(words) == len(set(words))
