"""What a hash earns, as a case states it: price, difficulty with its next retarget, subsidy, fees, and whose money."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import AwareTime, Document, Share, problems
from flexmine.inputs.series_spec import BtcPriceUsd, Difficulty, FeesBtcPerBlock, Series

DEFAULT_POOL_FEE = 0.02
DEFAULT_FIRMWARE_FEE = 0.0
"""Shares of the hash value; usual today, but no published source was found: a case should state its own."""
BLOCKS_PER_RETARGET = 2016


class Retarget(Document):
    """The next change of the difficulty, which holds from a block whose height is a multiple of 2016.

    Attributes
    ----------
    expected_change
        Of the difficulty, as a share: -0.05 is 5 % down.
    height
        Its block, a multiple of 2016; only checked: it follows from block_height.
    at
        Its expected time; absent: worked out from ``block_height`` and the interval of the blocks.
    """

    expected_change: float = Field(ge=-0.5, le=0.6)
    height: int | None = Field(default=None, ge=0, le=6_930_000, multiple_of=BLOCKS_PER_RETARGET)
    at: AwareTime | None = None


class HashValue(Document):
    """What a hash earns, and whose money the plan counts.

    Attributes
    ----------
    btc_price_usd
        Price of a bitcoin, a number or a series.
    difficulty
        Network difficulty, such as 89.47e12; a number or a series.
    next_retarget
        The next change of the difficulty; within the horizon a step in the hash value.

        Where it falls into the horizon, the difficulty changes at its expected hour; in the midst of a step the hash
        value of the step is the mean over time.
    network_hash_rate_eh_s
        Decides how fast blocks come; absent: 600 s / (1 + expected_change), or 600 s.
    block_height
        Block that is worked on at the start; gives the subsidy and its halvings.

        Exactly one: the subsidy follows from the height, 50 / 2^(height // 210000) BTC, or is stated. The height is of
        the block that the network works on at the start of the case; halvings within the horizon follow from it.
    subsidy_btc
        Subsidy of a block, in place of block_height.
    fees_btc_per_block
        Mean transaction fees of a block, a number or a series.
    pool_fee
        Share of the hash value that the pool keeps.
    firmware_fee
        Share of the hash value that the firmware keeps.
    perspective
        ``plant``: hash value and power together; ``host``: hosting fee and a share of the hash, less power;
        ``client``: the hash less the hosting fee.
    host_hash_share
        Share of the hash that the host keeps; for host and client.
    hosting_fee_usd_per_mwh
        What the client pays for energy; for host and client.
    contracted_efficiency_j_per_th
        Turns the hosting fee per MWh into one per hash; needed for host and client.
    """

    btc_price_usd: BtcPriceUsd
    difficulty: Difficulty
    next_retarget: Retarget | None = None
    network_hash_rate_eh_s: float | None = Field(default=None, ge=0.001, le=1.0e6)
    block_height: int | None = Field(default=None, ge=0, le=6_930_000)
    subsidy_btc: float | None = Field(default=None, ge=0.0, le=50.0)
    fees_btc_per_block: FeesBtcPerBlock
    pool_fee: Share = DEFAULT_POOL_FEE
    firmware_fee: Share = DEFAULT_FIRMWARE_FEE
    perspective: Literal["plant", "host", "client"] = "plant"
    host_hash_share: Share | None = None
    hosting_fee_usd_per_mwh: float | None = Field(default=None, ge=0.0, le=500.0)
    contracted_efficiency_j_per_th: float | None = Field(default=None, ge=1.0, le=500.0)

    @model_validator(mode="after")
    def _complete(self) -> HashValue:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if (self.block_height is None) == (self.subsidy_btc is None):
            found.append(((), "exactly one of block_height and subsidy_btc is needed"))
        found += self._chain_problems()
        hosting = ("host_hash_share", "hosting_fee_usd_per_mwh", "contracted_efficiency_j_per_th")
        for key in hosting:
            given = getattr(self, key) is not None
            if self.perspective == "plant" and given:
                found.append(((key,), "belongs to perspective host or client; this case counts for the plant"))
            if self.perspective != "plant" and not given:
                found.append(((), f"perspective {self.perspective} needs {key}"))
        problems(found)
        return self

    def _chain_problems(self) -> list[tuple[tuple[str | int, ...], str]]:
        found: list[tuple[tuple[str | int, ...], str]] = []
        height, retarget = self.block_height, self.next_retarget
        if height is None and self.network_hash_rate_eh_s is not None:
            found.append(
                (("network_hash_rate_eh_s",), "needs block_height; without it no block is expected at any hour")
            )
        if retarget is None:
            return found
        if isinstance(self.difficulty, Series):
            found.append(
                (("next_retarget",), "the difficulty is a series, which holds its changes; leave one of them out")
            )
        if height is None and retarget.at is None:
            found.append((("next_retarget",), "needs at, its expected time, or block_height, from which it follows"))
        if height is not None and retarget.height is not None:
            following = (height // BLOCKS_PER_RETARGET + 1) * BLOCKS_PER_RETARGET
            if retarget.height != following:
                text = f"{retarget.height} is not the next retarget after block {height}; that is {following}"
                found.append((("next_retarget", "height"), text))
        return found
