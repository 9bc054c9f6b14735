"""Names for the shapes of JSON, so that signatures say what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object that the holder may change."""

FrozenJson: TypeAlias = Mapping[str, Any]
"""A decoded JSON object that the holder only reads."""

Labels: TypeAlias = Mapping[str, str]
