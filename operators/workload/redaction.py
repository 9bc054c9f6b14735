"""Values of Secrets as previews show them: equal ones can be told from different ones, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

import orjson

from threeport.common.types import FrozenJson, JsonObject

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which kubectl keeps a whole object, values included."""


class Redaction:
    """Replaces values by digests. Its key dies with it: the digests of two previews cannot be compared, nor guessed."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def of(self, obj: FrozenJson) -> JsonObject:
        """The object with the values that it must not show replaced; other kinds than Secrets have none."""
        if obj.get("kind") != "Secret":
            return dict(obj)
        values = {name: self._each(obj[name]) for name in ("data", "stringData") if name in obj}
        metadata = dict(obj["metadata"])
        annotations = metadata.get("annotations") or {}
        if LAST_APPLIED in annotations:
            metadata["annotations"] = {**annotations, LAST_APPLIED: self._digest(annotations[LAST_APPLIED])}
        return {**obj, **values, "metadata": metadata}

    def _each(self, values: Any) -> Any:
        return {key: self._digest(value) for key, value in values.items()} if isinstance(values, dict) else None

    def _digest(self, value: Any) -> str:
        return f"redacted:{hmac.new(self._key, orjson.dumps(value), hashlib.sha256).hexdigest()[:16]}"
