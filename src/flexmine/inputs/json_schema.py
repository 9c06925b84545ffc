"""JSON Schema of the files that people edit, and of problem.json: types, ranges, and what each key means."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.meanings import documents, meaning
from flexmine.inputs.miners import MinerDocument
from flexmine.inputs.schema import CaseDocument
from flexmine.problem.reading import problem_json_schema
from flexmine.problem.shape import DIALECT

KINDS: dict[str, type[BaseModel]] = {
    "case": CaseDocument,
    "plant": PlantDocument,
    "container": ContainerDocument,
    "miner": MinerDocument,
}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of files of `kind`, one of :data:`KINDS`.

    A file that it accepts may still be refused: what compares keys with each other, or files, is checked by
    ``flexmine check`` alone.
    """
    model = KINDS[kind]
    schema = model.model_json_schema(by_alias=True)
    below = documents(model)
    _describe(schema, model)
    for name, part in schema.get("$defs", {}).items():
        _describe(part, below[name])
    head = {"$schema": DIALECT, "title": f"flexmine {kind} file"}
    return {**head, **schema, "title": head["title"]}


def json_schema_text(kind: str) -> str:
    """Return the JSON Schema of files of `kind`, one of :data:`KINDS` or ``problem``, as text."""
    schema = problem_json_schema() if kind == "problem" else json_schema(kind)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _describe(part: dict[str, Any], model: type[BaseModel]) -> None:
    part["description"] = (model.__doc__ or "").partition("\n")[0]
    for key, value in part["properties"].items():
        value.pop("title", None)
        value["description"] = meaning(model, key)
        if value.get("type") == "array" and "minLength" in value:
            # pydantic does not see that the list is a list where a validator stands before it.
            value["minItems"] = value.pop("minLength")
