"""Answers as YAML, for who asks for it: ``curl -H 'Accept: application/yaml'``, or a client for people.

They are made from the JSON that everyone else gets, which costs a hundred times what the JSON has cost: clients that
care about speed ask for JSON.
"""

from __future__ import annotations

import asyncio

import orjson
import yaml
from aiohttp import web

from threeport.krm.answers import JSON, YAML, bytes_answer

_WIDTH = 2**30
"""No line is folded."""


async def in_yaml(answer: web.Response) -> web.Response:
    """The answer with its JSON body as YAML; one of another type as it is."""
    if answer.content_type != JSON or not isinstance(answer.body, bytes):
        return answer
    raw = await asyncio.to_thread(_translated, answer.body)
    translated = bytes_answer(raw, YAML, code=answer.status)
    for name, value in answer.headers.items():
        if name.lower() not in ("content-type", "content-length"):
            translated.headers.add(name, value)
    return translated


def _translated(raw: bytes) -> bytes:
    return yaml.dump(orjson.loads(raw), Dumper=_Dumper, allow_unicode=True, encoding="utf-8", width=_WIDTH)


class _Dumper(yaml.CSafeDumper):
    """Without anchors: what stands twice is written twice, as everyone reads it."""

    def ignore_aliases(self, data: object) -> bool:
        return True
