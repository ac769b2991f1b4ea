"""Writes the JSON Schemas of `request.json` and the policy file: `python -m infra.export_schema`.

They are what upstream systems validate against before they upload; a test keeps them equal to the models.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from tasks.request import Policy, Request

FOLDER = Path(__file__).parent / "schema"
MODELS: dict[str, type[BaseModel]] = {"request.schema.json": Request, "policy.schema.json": Policy}


def schema_of(model: type[BaseModel]) -> str:
    """The JSON Schema of a model, as it stands in its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write every schema."""
    FOLDER.mkdir(exist_ok=True)
    for name, model in MODELS.items():
        (FOLDER / name).write_text(schema_of(model), encoding="utf-8")


if __name__ == "__main__":
    main()
