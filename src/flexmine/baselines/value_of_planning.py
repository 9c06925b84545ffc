"""What kind of day it is: how much of the money modes bring, and how much looking ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Below this share of the money a difference is within what prices and forecasts leave uncertain by far.
NOTHING_SHARE = 0.001


@dataclass(frozen=True)
class ValueOfPlanning:
    """The money of a plan beside two others, over the whole horizon.

    Attributes
    ----------
    money_usd : float
        Of the plan.
    full_power_usd : float or None
        Of the best plan with full power as the only mode; None where there is none within the limits, or none was
        proven in time.
    greedy_usd : float or None
        Of the greedy rule, which knows the modes and no future, its charges tuned in hindsight; None where it cannot
        keep a hard limit.
    """

    money_usd: float
    full_power_usd: float | None
    greedy_usd: float | None

    @property
    def modes_usd(self) -> float | None:
        """What running at other than full power brings [USD]."""
        return None if self.full_power_usd is None else self.money_usd - self.full_power_usd

    @property
    def look_ahead_usd(self) -> float | None:
        """What looking ahead brings against a rule tuned in hindsight [USD]; against one that is not, it is more."""
        return None if self.greedy_usd is None else self.money_usd - self.greedy_usd

    @property
    def sentence(self) -> str:
        """What planning brings on this day, in words."""
        return f"{self._modes_words()} {self._look_ahead_words()}"

    def document(self) -> dict[str, Any]:
        """Return it for plan.json."""
        amounts = {
            "full_power_money_usd": self.full_power_usd,
            "greedy_money_usd": self.greedy_usd,
            "modes_usd": self.modes_usd,
            "look_ahead_usd": self.look_ahead_usd,
        }
        return {**{k: None if v is None else round(v, 4) for k, v in amounts.items()}, "sentence": self.sentence}

    def _modes_words(self) -> str:
        if self.modes_usd is None:
            return "What modes bring is not known: with full power as the only mode no best plan was found."
        if self.is_nothing(self.modes_usd):
            return "Modes bring nothing: running at full power earns as much."
        return f"Modes bring {_usd(self.modes_usd)} against the best plan with full power only."

    def _look_ahead_words(self) -> str:
        if self.look_ahead_usd is None:
            return "Without looking ahead the greedy rule breaks a hard limit."
        if self.is_nothing(self.look_ahead_usd):
            return "There is nothing to gain by looking ahead: the greedy rule, hour by hour, comes within 0.1 %."
        return f"Looking ahead brings {_usd(self.look_ahead_usd)} against the greedy rule."

    def is_nothing(self, amount_usd: float) -> bool:
        """Return whether `amount_usd` [USD] is too small a part of the plan's money to be worth the effort."""
        return amount_usd <= NOTHING_SHARE * max(1.0, abs(self.money_usd))


def _usd(amount: float) -> str:
    return f"{amount:,.0f}".replace(",", "\N{THIN SPACE}") + " USD"
