"""How fast containers of each class switch: data of the container models, handed on to whoever publishes the plan."""

from __future__ import annotations

from dataclasses import dataclass

from flexmine.inputs.case import Case
from flexmine.problem import Problem


@dataclass(frozen=True)
class Switching:
    """Commands to the miners of one container go out in packets.

    Attributes
    ----------
    miners, miners_per_packet : int
        In the container, and switched together.
    packet_interval_s : float
        From packet to packet [s].
    boot_s : float
        From the command to full hash of a miner that was asleep [s].
    """

    miners: int
    miners_per_packet: int
    packet_interval_s: float
    boot_s: float


def switching(case: Case, problem: Problem) -> dict[str, Switching]:
    """Return by class of the problem how its containers switch; absent where the model gives no ``start.stagger``."""
    group_of = case.plant.group_of
    found = {}
    for k in problem.classes:
        model = case.container_models[group_of[k.containers[0]].model]
        packets = model.start.stagger
        if packets is not None:
            found[k.name] = Switching(
                model.miners.count, packets.miners_per_packet, packets.packet_interval_s, packets.boot_s
            )
    return found
