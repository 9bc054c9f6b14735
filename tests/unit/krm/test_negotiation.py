"""Which form of an answer an Accept header asks for."""

from __future__ import annotations

import pytest

from threeport.common.errors import NotAcceptable
from threeport.krm.negotiation import Form, negotiate, prefers_yaml

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "form", "yaml"),
    [
        (None, Form.OBJECT, False),
        ("*/*", Form.OBJECT, False),
        ("application/yaml", Form.OBJECT, True),
        ("application/YAML, application/json", Form.OBJECT, True),
        ("application/json;q=0.5, application/yaml", Form.OBJECT, True),
        ("application/yaml;q=0.8, application/json", Form.OBJECT, False),
        ("application/vnd.kubernetes.protobuf, application/json", Form.OBJECT, False),
        (f"{TABLE}, application/json", Form.TABLE, False),
        ("application/yaml;as=Table;v=v1;g=meta.k8s.io", Form.TABLE, True),
        ("application/json;as=Unheard, application/json", Form.OBJECT, False),
        ("application/json;q=many", Form.OBJECT, False),
        ("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", Form.METADATA, False),
    ],
)
def test_the_form_that_the_client_likes_best_is_chosen(accept: str | None, form: Form, yaml: bool) -> None:
    assert negotiate(accept) is form
    assert prefers_yaml(accept) is yaml


@pytest.mark.parametrize(
    "accept",
    [
        "application/vnd.kubernetes.protobuf",
        "text/html",
        "application/json;as=Unheard",
        "application/json;as=Table",
        "application/json;as=Table;v=v1;g=other",
    ],
)
def test_what_is_not_spoken_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/yaml"):
        negotiate(accept)
    assert not prefers_yaml(accept)
