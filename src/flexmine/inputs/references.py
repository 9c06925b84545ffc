"""The plant, the container models and the miner models that a case refers to, as far as they can be read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.miners import MinerDocument
from flexmine.inputs.reading import MAX_YAML_BYTES, Access
from flexmine.inputs.yaml_loader import D, Draft, Edit, Keys, parse_yaml


@dataclass
class Reader:
    """Reads the files of one case, and keeps their hashes and all that is wrong with them.

    Attributes
    ----------
    expected : mapping of str
        SHA-256 that each file still has to have, by its name, where the case has been read before.
    """

    access: Access
    expected: Mapping[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def draft(self, path: Path, model: type[D], label: str, edit: Edit | None = None) -> Draft[D]:
        """Return a YAML file as far as it can be understood; what is wrong is kept.

        Raises
        ------
        BadInput
            Where the file cannot be read at all, in words that follow its name.
        """
        draft = parse_yaml(self.raw(path, label, MAX_YAML_BYTES), path, model, label, edit)
        self.wrong += draft.messages
        return draft

    def raw(self, path: Path, label: str, limit: int) -> bytes:
        """Return the bytes of a file of at most `limit` bytes, and keep its hash.

        Raises
        ------
        BadInput
            Where it cannot be read or has changed, in words that follow the name of the file.
        """
        raw = self.access.bytes_of(path, limit)
        digest = hashlib.sha256(raw).hexdigest()
        if self.expected.get(label, digest) != digest:
            raise BadInput("has changed since the case was read; read the case again with load_case")
        self.inputs[label] = digest
        return raw

    def referred(
        self, source: Draft[Any], keys: Keys, reference: Any, model: type[D], edit: Edit | None = None
    ) -> Draft[D] | None:
        """Return the file `reference` that `source` names under `keys`; None, with the reason kept, if unreadable."""
        if not isinstance(reference, str) or not reference:
            return None  # the file that names it has been found wrong already
        try:
            path = self.access.resolve(reference, source.path)
            if not os.path.lexists(path):
                raise BadInput(f"there is no file {reference}; a path is relative to the file that names it")
        except BadInput as error:
            self.wrong += [source.at(keys, message) for message in error.messages]
            return None
        try:
            return self.draft(path, model, self.access.portable(path), edit)
        except BadInput as error:
            self.wrong += [source.at(keys, f"{reference} {message}") for message in error.messages]
            return None

    def models(self, plant: Draft[PlantDocument]) -> dict[str, ContainerDocument]:
        """Return the container models that are right, by the text that the plant's groups use as `model`."""
        found: dict[str, ContainerDocument] = {}
        seen: set[str] = set()
        for i, reference in _group_models(plant.data):
            if reference in seen:
                continue
            seen.add(reference)
            model = self.referred(plant, ("containers", i, "model"), reference, ContainerDocument)
            complete = None if model is None else self._with_miners(model)
            if complete is not None:
                found[reference] = complete
        return found

    def _with_miners(self, model: Draft[ContainerDocument]) -> ContainerDocument | None:
        """Return a container model with the presets of the miner file that it names, if it names one."""
        document = model.document
        if document is not None and not document.names_miner_file:
            return document
        reference = _miner_file(model.data) if document is None else document.miners.model
        if reference is None:
            return None
        miner = self.referred(model, ("miners", "model"), reference, MinerDocument)
        if document is None or miner is None or miner.document is None:
            return None
        return document.model_copy(update={"miners": document.miners.of_model(miner.document)})


def _group_models(data: Any) -> list[tuple[int, str]]:
    """Return (index, text) of every container model that the text of a plant names."""
    groups = data.get("containers") if isinstance(data, dict) else None
    if not isinstance(groups, list):
        return []
    named = [(i, group.get("model")) for i, group in enumerate(groups) if isinstance(group, dict)]
    return [(i, model) for i, model in named if isinstance(model, str) and model]


def _miner_file(data: Any) -> str | None:
    """Return the miner file that the text of a faulty container model names, None where it may be a name in words."""
    miners = data.get("miners") if isinstance(data, dict) else None
    if not isinstance(miners, dict) or "presets" in miners or "minimum_power_mw" not in miners:
        return None
    return miners.get("model")
