"""Miner models: what one miner draws and yields at each setting that it accepts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import AsTuple, Document, Name, Share, Words, problems

BEST_J_PER_TH, WORST_J_PER_TH = 3.0, 300.0
"""No miner needs less, or was ever worth running at more: a value beyond is in another unit."""


def efficiency_problems(power_w: float, hash_rate_th_s: float) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is wrong with `power_w` [W] and `hash_rate_th_s` [TH/s] where they cannot belong to one machine.

    What is wrong is a list of keys and a sentence each, as :func:`flexmine.inputs.fields.problems` takes it.
    """
    j_per_th = power_w / hash_rate_th_s
    if BEST_J_PER_TH <= j_per_th <= WORST_J_PER_TH:
        return []
    slip = "PH/s or W for kW" if j_per_th > WORST_J_PER_TH else "GH/s or kW for W"
    text = (
        f"{power_w:g} W for {hash_rate_th_s:g} TH/s is {j_per_th:.3g} J/TH; miners need {BEST_J_PER_TH:g} to "
        f"{WORST_J_PER_TH:g}. One of the two is in another unit ({slip})"
    )
    return [(("hash_rate_th_s",), text)]


class Preset(Document):
    """A power setting that a miner accepts.

    Attributes
    ----------
    power_w
        Power of one miner.
    hash_rate_th_s
        Hash rate of one miner at it.
    """

    power_w: float = Field(ge=100.0, le=20_000.0)
    hash_rate_th_s: float = Field(ge=1.0, le=5000.0)

    @model_validator(mode="after")
    def _believable(self) -> Preset:
        problems(efficiency_problems(self.power_w, self.hash_rate_th_s))
        return self


Presets = Annotated[tuple[Preset, ...], AsTuple]


class Nameplate(Document):
    """What the maker states; tolerances are shares of the value, to either side.

    Attributes
    ----------
    power_w
        Power.
    hash_rate_th_s
        Hash rate.
    power_tolerance
        To either side, as a share.
    hash_rate_tolerance
        To either side, as a share.
    """

    power_w: float = Field(ge=100.0, le=20_000.0)
    hash_rate_th_s: float = Field(ge=1.0, le=5000.0)
    power_tolerance: Share
    hash_rate_tolerance: Share


class Scaling(Document):
    """The presets are those of another miner's measured ladder, times the ratios of the nameplates.

    Attributes
    ----------
    ladder
        Name of the miner model that was measured.
    power_w, hash_rate_th_s
        The top of that ladder, by which the nameplate is divided: its ratios.
    """

    ladder: Name
    power_w: float = Field(ge=100.0, le=20_000.0)
    hash_rate_th_s: float = Field(ge=1.0, le=5000.0)


class MinerDocument(Document):
    """A miner model, ``schema: flexmine-miner/1``.

    Attributes
    ----------
    schema_id
        Which kind of file this is.
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    title
        In words.
    nameplate
        What the maker states.
    presets
        Settings that the miner accepts, with measured hash rates, rising in power.
    scaled_from
        The measured ladder that the presets are scaled from.
    sleep_w
        Draw of a sleeping miner.
    sources
        Where the numbers come from, a line each; at least one.
    """

    schema_id: Literal["flexmine-miner/1"] = Field(alias="schema")
    name: Name
    title: Words = ""
    nameplate: Nameplate
    presets: Annotated[Presets, Field(min_length=1)]
    scaled_from: Scaling | None = None
    sleep_w: float = Field(ge=0.0, le=200.0)
    sources: Annotated[tuple[str, ...], AsTuple, Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> MinerDocument:
        problems(preset_problems(self.presets, self.sleep_w))
        return self


def preset_problems(presets: tuple[Preset, ...], sleep_w: float) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is wrong with a ladder: powers rise from one preset to the next and are above `sleep_w` [W]."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    before_w, what = sleep_w, "a sleeping miner"
    for i, preset in enumerate(presets):
        if preset.power_w <= before_w:
            found.append((("presets", i, "power_w"), f"{preset.power_w:g} W is not above the {before_w:g} W of {what}"))
        before_w, what = preset.power_w, "the preset before it"
    return found
