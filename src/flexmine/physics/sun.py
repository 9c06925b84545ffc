"""Sun on the five faces of a container, and the sol-air temperature that it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flexmine.physics.ranges import Floats, above, within

FACES = ("roof", "side_right", "side_left", "end_front", "end_back")
# Long-wave loss of a horizontal roof to a clear sky as a temperature, eps dR / h_o; walls see sky and ground alike.
ROOF_SKY_LOSS_K = 4.0


@dataclass(frozen=True)
class Box:
    """A container as the sun sees it.

    Attributes
    ----------
    length_m, width_m, height_m : float
        Outer dimensions [m]; a 40 ft container has 12.19, 2.44 and 2.59.
    azimuth_deg : float
        Direction of the long axis, clockwise from north [degrees]; the front end looks that way.
    """

    length_m: float
    width_m: float
    height_m: float
    azimuth_deg: float

    @property
    def areas_m2(self) -> Floats:
        """Areas of the faces in the order of `FACES` [m2], shape (5,)."""
        roof, side, end = self.length_m * self.width_m, self.length_m * self.height_m, self.width_m * self.height_m
        return np.array([roof, side, side, end, end])

    @property
    def tilts_deg(self) -> Floats:
        """Tilts of the faces from horizontal [degrees], shape (5,)."""
        return np.array([0.0, 90.0, 90.0, 90.0, 90.0])

    @property
    def azimuths_deg(self) -> Floats:
        """Directions that the faces look to [degrees], shape (5,); of no meaning for the roof."""
        return (self.azimuth_deg + np.array([0.0, 90.0, 270.0, 0.0, 180.0])) % 360


def sun_on_faces_w_m2(
    middle_utc: NDArray[np.datetime64],
    ghi_w_m2: ArrayLike,
    *,
    latitude_deg: float,
    longitude_deg: float,
    box: Box,
    albedo: float = 0.25,
) -> Floats:
    """Return the irradiance on each face of a box.

    Parameters
    ----------
    middle_utc : ndarray of datetime64, shape (T,)
        Middle of each interval, UTC.
    ghi_w_m2 : array_like, shape (T,)
        Mean global horizontal irradiance of each interval [W/m2], 0 to 1500.
    latitude_deg, longitude_deg : float
        North and east positive [degrees].
    box : Box
        Dimensions and direction.
    albedo : float
        Of the ground, 0 to 1; 0.65 to 0.75 with snow.

    Returns
    -------
    ndarray, shape (5, T)
        Plane-of-array irradiance in the order of `FACES` [W/m2].

    Raises
    ------
    ValueError
        Where a value is out of range or lengths differ.

    Notes
    -----
    Global irradiance is split into beam and diffuse by Erbs [1]_ and transposed with an isotropic sky [2]_ at the
    position of the sun in the middle of the interval.  Below three degrees of elevation all of it is diffuse.

    References
    ----------
    .. [1] Erbs, Klein and Duffie, "Estimation of the diffuse radiation fraction for hourly, daily and
       monthly-average global radiation", Solar Energy 28 (1982).
    .. [2] pvlib-python, ``pvlib.irradiance.get_total_irradiance``.
    """
    from pandas import DatetimeIndex
    from pvlib import irradiance, solarposition

    ghi = within("ghi_w_m2", ghi_w_m2, 0, 1500)
    if ghi.shape != np.shape(middle_utc):
        raise ValueError(f"ghi_w_m2 has {ghi.size} values for {np.size(middle_utc)} intervals")
    latitude = float(within("latitude_deg", latitude_deg, -90, 90))
    longitude = float(within("longitude_deg", longitude_deg, -180, 180))
    ground = float(within("albedo", albedo, 0, 1))
    above("length_m, width_m, height_m", [box.length_m, box.width_m, box.height_m], 0)

    times = DatetimeIndex(middle_utc).tz_localize("UTC")
    sun = solarposition.get_solarposition(times, latitude, longitude)
    zenith = sun["apparent_zenith"].to_numpy()
    azimuth = sun["azimuth"].to_numpy()
    split = irradiance.erbs(ghi, sun["zenith"].to_numpy(), times.day_of_year.to_numpy())
    faces = [
        irradiance.get_total_irradiance(tilt, facing, zenith, azimuth, split["dni"], ghi, split["dhi"], albedo=ground)
        for tilt, facing in zip(box.tilts_deg, box.azimuths_deg, strict=True)
    ]
    on_faces: Floats = np.maximum(0.0, np.array([np.asarray(face["poa_global"]) for face in faces]))
    return on_faces


def sol_air_temperature_c(
    temperature_c: ArrayLike, faces_w_m2: ArrayLike, absorptance: float, film_w_per_m2_k: float = 17.0
) -> Floats:
    r"""Return the sol-air temperature of each face.

    Parameters
    ----------
    temperature_c : array_like, shape (T,)
        Outside air [C].
    faces_w_m2 : array_like, shape (5, T)
        Irradiance on the faces in the order of `FACES` [W/m2].
    absorptance : float
        Of the paint, 0 to 1: 0.3 light, 0.9 dark or rusty.
    film_w_per_m2_k : float
        Outside film coefficient h_o [W/m2K].

    Returns
    -------
    ndarray, shape (5, T)
        [C].

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: T_{sa} = T_o + \alpha I / h_o - \varepsilon\,\Delta R / h_o

    with 4 K for the last term on the roof and 0 on walls [1]_.

    References
    ----------
    .. [1] ASHRAE Handbook of Fundamentals, sol-air temperature (h_o = 17 W/m2K = 3.0 Btu/h ft2 F).
    """
    air = within("temperature_c", temperature_c, -90, 70)
    sun = within("faces_w_m2", faces_w_m2, low=0)
    if sun.shape != (len(FACES), air.size):
        raise ValueError(f"faces_w_m2 has shape {sun.shape}, expected {(len(FACES), air.size)}")
    lift_k = within("absorptance", absorptance, 0, 1) * sun / above("film_w_per_m2_k", film_w_per_m2_k, 0)
    sky_k = np.array([ROOF_SKY_LOSS_K, 0.0, 0.0, 0.0, 0.0])
    sol_air: Floats = air[None, :] + lift_k - sky_k[:, None]
    return sol_air


def box_sol_air_temperature_c(face_temperature_c: ArrayLike, areas_m2: ArrayLike) -> Floats:
    r"""Return the area-weighted sol-air temperature of a box.

    Parameters
    ----------
    face_temperature_c : array_like, shape (5, T)
        Sol-air temperature by face [C].
    areas_m2 : array_like, shape (5,)
        Areas of the faces [m2].

    Returns
    -------
    ndarray, shape (T,)
        [C]: with one conductance per area, the air outside that would draw the same heat.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: T = \sum_f A_f T_{sa,f} \, / \, \sum_f A_f .
    """
    faces = within("face_temperature_c", face_temperature_c)
    return np.average(faces, axis=0, weights=above("areas_m2", areas_m2, 0))
