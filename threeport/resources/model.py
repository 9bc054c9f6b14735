"""Kinds as pydantic models: one class is the type in Python, the validation, the defaults and the schema.

@resource(plural="widgets", controller="widget", columns=[Column("Colour", ".spec.colour")])
class Widget(Resource):
    spec: WidgetSpec
    status: WidgetStatus | None = None

kind = kind_of(Widget)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from threeport.resources.kind import Column, FieldPath, Kind, ReferenceField
from threeport.resources.schema import structural_schema

GROUP = "threeport.io"
VERSION = "v1alpha1"


class Shape(BaseModel):
    """Base of every part of an object: camelCase outside, snake_case in Python, unknown fields refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class SensitiveMark:
    """Marks a field as sensitive in its annotation."""


T = TypeVar("T")
Sensitive = Annotated[T, SensitiveMark()]
"""``token: Sensitive[str]``: sealed at rest, redacted in answers, never in logs, events or notifications in clear."""


class ManifestsMark:
    """Marks a field as a list of Kubernetes manifests."""


class ReferenceMark:
    """Marks a field as a reference to objects of one resource; `blocks_deletion` protects what is referred to."""

    def __init__(self, resource: str, *, namespaced: bool, blocks_deletion: bool = True) -> None:
        self.resource = resource
        self.namespaced = namespaced
        self.blocks_deletion = blocks_deletion


class Reference(Shape):
    """A reference to another object. Without `namespace` it is sought in the namespace of the object that refers."""

    name: Annotated[str, Field(min_length=1, max_length=253, description="Name of the object referred to.")]
    namespace: Annotated[str | None, Field(description="Its namespace; that of this object if absent.")] = None


class ObjectMeta(Shape):
    """The part of an object that every kind has (Kubernetes, ``ObjectMeta``)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    owner_references: list[dict[str, Any]] | None = None


class Condition(Shape):
    """One aspect of the state, with a reason in CamelCase for programs and a message a person can act on."""

    type: str
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")]
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    observed_generation: int | None = None


class Status(Shape):
    """What every status has. `observed_generation` with a true ``Ready`` acknowledges that generation of the spec."""

    observed_generation: Annotated[int | None, Field(description="Generation of the spec that this speaks of.")] = None
    conditions: Annotated[
        list[Condition] | None,
        Field(
            description="Aspects of the state; Ready is always there.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = None


class Resource(Shape):
    """Base of every kind. Subclasses add ``spec`` and, where a controller reports, ``status``."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    declared: ClassVar[Kind]


R = TypeVar("R", bound=Resource)


def resource(
    *,
    plural: str,
    group: str = GROUP,
    version: str = VERSION,
    namespaced: bool = True,
    short_names: Sequence[str] = (),
    categories: Sequence[str] = ("threeport",),
    columns: Sequence[Column] = (),
    controller: str | None = None,
) -> Callable[[type[R]], type[R]]:
    """Declares a model as a kind of the API; `controller` names the operator whose finalizer it carries from birth."""

    def declare(model: type[R]) -> type[R]:
        marks = list(_marks(model, ()))
        model.declared = Kind(
            kind=model.__name__,
            plural=plural,
            singular=model.__name__.lower(),
            group=group,
            version=version,
            namespaced=namespaced,
            short_names=tuple(short_names),
            # `kubectl get all` shows what lives in a namespace.
            categories=(*categories, *(["all"] if namespaced and categories else [])),
            schema=structural_schema(model),
            columns=tuple(columns),
            has_status="status" in model.model_fields,
            controller=controller,
            sensitive=tuple(path for path, mark in marks if isinstance(mark, SensitiveMark)),
            manifests=tuple(path for path, mark in marks if isinstance(mark, ManifestsMark)),
            references=tuple(
                ReferenceField(path, mark.resource, mark.namespaced, mark.blocks_deletion)
                for path, mark in marks
                if isinstance(mark, ReferenceMark)
            ),
            model=model,
        )
        return model

    return declare


def kind_of(model: type[Resource]) -> Kind:
    """The kind that a model was declared as."""
    return model.declared


def _marks(model: type[BaseModel], path: FieldPath) -> Iterator[tuple[FieldPath, object]]:
    """Every mark in the annotations below `model`, with the path of its field in JSON."""
    for name, info in model.model_fields.items():
        here = (*path, info.alias or name)
        for mark in info.metadata:
            yield here, mark
        yield from _marks_of_type(info.annotation, here)


def _marks_of_type(annotation: Any, path: FieldPath) -> Iterator[tuple[FieldPath, object]]:
    """Marks inside a type: ``Annotated`` parts, models, and the items of lists and mappings (``"*"``)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _marks(annotation, path)
        return
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for mark in args[1:]:
            yield path, mark
        yield from _marks_of_type(args[0], path)
    elif origin in (list, dict):
        yield from _marks_of_type(args[-1], (*path, "*"))
    else:
        for arg in args:
            yield from _marks_of_type(arg, path)
