"""The template case of a job with the files that it refers to, and a self-contained copy of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flexmine.errors import BadInput
from flexmine.inputs.case_series import series_entries
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.fields import Document
from flexmine.inputs.miners import MinerDocument
from flexmine.inputs.schema import CaseDocument
from flexmine.inputs.series_spec import Series
from flexmine.inputs.yaml_loader import D, Keys, Loaded, read_yaml
from flexmine.resources import PREFIX, shipped_path

BIAS_FILE = "bias.json"


@dataclass(frozen=True)
class SeriesKey:
    """A series of the template: its dotted key, its place in the file, its quantity and its specification."""

    dotted: str
    keys: Keys
    quantity: str
    spec: Series


@dataclass(frozen=True)
class Template:
    """Case, plant, container models and miners, read and validated; no series yet.

    Attributes
    ----------
    models, miners : dict
        By the reference as written in the plant's groups; `miners` only where the model names a miner file.
    bias : mapping
        By container, the factor by which its powers were scaled to match measurements.
    """

    case: Loaded[CaseDocument]
    plant: Loaded[PlantDocument]
    models: dict[str, Loaded[ContainerDocument]]
    miners: dict[str, Loaded[MinerDocument]]
    bias: Mapping[str, float] = field(default_factory=dict)

    def series(self) -> Iterator[SeriesKey]:
        """Yield all series of the case; plain numbers are not series."""
        for dotted, keys, quantity, value in series_entries(self.case.document):
            if isinstance(value, Series):
                yield SeriesKey(dotted, keys, quantity, value)

    def series_file(self, spec: Series) -> Path:
        """Return the file that a series of the template names."""
        return resolved(spec.file, self.case.path)


def resolved(reference: str, beside: Path) -> Path:
    """Return the file that `reference` stands for where it is written in the file `beside`.

    Raises
    ------
    BadInput
        It begins with ``shipped:``, and no such file is shipped.
    """
    return shipped_path(reference) if reference.startswith(PREFIX) else beside.parent / reference


def read_template(source: Loaded[Any]) -> Template:
    """Read the case that the file `source` names under ``case``, and the files that it refers to.

    Raises
    ------
    BadInput
        With file, line and key.
    """
    case = _read(source, ("case",), source.document.case, CaseDocument)
    plant = _read(case, ("plant",), case.document.plant, PlantDocument)
    models: dict[str, Loaded[ContainerDocument]] = {}
    miners: dict[str, Loaded[MinerDocument]] = {}
    for i, group in enumerate(plant.document.containers):
        if group.model in models:
            continue
        model = _read(plant, ("containers", i, "model"), group.model, ContainerDocument)
        models[group.model] = model
        if model.document.names_miner_file:
            name = model.document.miners.model
            miners[group.model] = _read(model, ("miners", "model"), name, MinerDocument)
    return Template(case, plant, models, miners)


def _read(source: Loaded[Any], keys: Keys, reference: str, model: type[D]) -> Loaded[D]:
    path = resolved(reference, source.path)
    if not path.is_file():
        raise BadInput(source.at(keys, f"there is no file {reference}; a path is relative to the file that names it"))
    return read_yaml(path, model, reference)


def write_template(template: Template, case: Mapping[str, Any], folder: Path) -> None:
    """Write case, plant, container and miner files into a folder that needs nothing from elsewhere.

    Parameters
    ----------
    template : Template
    case : mapping
        The case to be written, with the template's own references.
    folder : Path
        Made where it is missing.
    """
    names = {reference: f"containers/{model.document.name}.yaml" for reference, model in template.models.items()}
    for reference, model in template.models.items():
        document = as_mapping(model.document)
        if reference in template.miners:
            miner = template.miners[reference].document
            document["miners"]["model"] = f"../miners/{miner.name}.yaml"
            write_yaml(as_mapping(miner), folder / "miners" / f"{miner.name}.yaml")
        write_yaml(document, folder / names[reference])
    plant = as_mapping(template.plant.document)
    for group in plant["containers"]:
        group["model"] = names[group["model"]]
    write_yaml(plant, folder / "plant.yaml")
    own = {**case, "plant": "plant.yaml"}
    if "available" in own:
        own["available"] = [{**entry, "model": names[entry["model"]]} for entry in own["available"]]
    write_yaml(own, folder / "case.yaml")
    if template.bias:
        (folder / BIAS_FILE).write_text(json.dumps(template.bias, indent=2) + "\n", encoding="utf-8", newline="\n")


def as_mapping(document: Document) -> dict[str, Any]:
    """Return a document as plain values, with only the keys that its file has."""
    return document.model_dump(mode="json", by_alias=True, exclude_unset=True)


class _Key(str):
    """A key, which needs no quotes."""


class _Dumper(yaml.SafeDumper):
    """Writes every text in quotes, so that no reader takes it for anything else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts twice: an anchor would be one more thing to read."""
        return True


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(_Key, lambda dumper, key: dumper.represent_scalar("tag:yaml.org,2002:str", str(key)))


def write_yaml(document: Mapping[str, Any], path: Path) -> None:
    """Write `document` so that :func:`flexmine.inputs.yaml_loader.read_yaml` reads the same back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(_with_keys(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(text, encoding="utf-8", newline="\n")


def _with_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_Key(key): _with_keys(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_keys(inner) for inner in value]
    return value
