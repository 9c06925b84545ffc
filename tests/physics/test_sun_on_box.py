import numpy as np
import pytest

from flexmine.physics.sun import FACES, Box, box_sol_air_temperature_c, sol_air_temperature_c, sun_on_faces_w_m2

EAST_WEST = Box(12.19, 2.44, 2.59, 90.0)
BRATSK = {"latitude_deg": 56.15, "longitude_deg": 101.63}


def _faces(hours_utc, ghi, box=EAST_WEST):
    times = np.array([np.datetime64(f"2024-06-21T{h}", "ns") for h in hours_utc])
    return sun_on_faces_w_m2(times, np.asarray(ghi, dtype=float), box=box, **BRATSK)


def test_areas_of_a_40_ft_box():
    """29.7 m2 of roof, 31.6 of each long side, 6.3 of each end.

    *Proves:* faces and their order. *Sensitivity:* sides and ends swapped would give 6.3 twice first.
    """
    assert EAST_WEST.areas_m2 == pytest.approx([29.7, 31.6, 31.6, 6.3, 6.3], abs=0.06)
    assert EAST_WEST.azimuths_deg[1:].tolist() == [180.0, 0.0, 90.0, 270.0]


def test_south_side_at_noon_east_end_in_the_morning():
    """Local noon at Bratsk is 05:15 UTC: the roof gets the GHI, the south side more than the north side; at 23:30
    UTC (early morning) the east end is the brightest face.

    *Proves:* position of the sun, direction of faces and UTC. *Sensitivity:* read as local time, noon would be
    night, and the west end would shine in the morning.
    """
    noon, morning = _faces(["05:15", "23:30"], [800, 300]).T
    roof, south, north, east, west = noon
    assert roof == pytest.approx(800, rel=0.02)
    assert south > 2 * north
    assert east == pytest.approx(west, rel=0.05)
    assert FACES[int(np.argmax(morning))] == "end_front"


def test_no_sun_no_light():
    """*Proves:* GHI 0 gives 0 on every face. *Sensitivity:* the same hours with GHI give light above."""
    assert np.all(_faces(["05:15", "17:00"], [0, 0]) == 0)


def test_turned_by_half_a_turn_only_swaps_faces():
    """*Proves:* geometry is symmetric. *Sensitivity:* an offset in one azimuth would break it."""
    one = _faces(["02:00"], [500.0])[:, 0]
    other = _faces(["02:00"], [500.0], Box(12.19, 2.44, 2.59, 270.0))[:, 0]
    assert other == pytest.approx(one[[0, 2, 1, 4, 3]])


def test_sol_air_by_hand():
    """800 W/m2 on a roof of absorptance 0.7: 33 K up and 4 K of sky down; a wall in the dark: outside air.

    *Proves:* the sky term is on the roof only. *Sensitivity:* without it the roof would be at 33 K above air.
    """
    sun = np.array([[800.0], [0.0], [0.0], [0.0], [0.0]])
    faces = sol_air_temperature_c(np.array([-10.0]), sun, 0.7)
    assert faces[:, 0] == pytest.approx([-10 + 0.7 * 800 / 17 - 4, -10, -10, -10, -10])
    mean = box_sol_air_temperature_c(faces, EAST_WEST.areas_m2)
    assert mean[0] == pytest.approx(-10 + (0.7 * 800 / 17 - 4) * 29.744 / 105.528, abs=1e-3)


def test_refusals():
    """*Proves:* wrong shapes and ranges are refused. *Sensitivity:* the right ones are accepted above."""
    with pytest.raises(ValueError, match="2 values for 1 intervals"):
        _faces(["05:15"], [1, 2])
    with pytest.raises(ValueError, match="ghi_w_m2: 1600"):
        _faces(["05:15"], [1600])
    with pytest.raises(ValueError, match=r"faces_w_m2 has shape \(1, 1\), expected \(5, 1\)"):
        sol_air_temperature_c(np.array([0.0]), np.zeros((1, 1)), 0.7)
