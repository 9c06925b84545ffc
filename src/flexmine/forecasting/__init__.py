"""Forecasts of surplus, price and temperature from their own history, with quantiles, and their scores.

>>> from flexmine.forecasting import forecast, score
"""

from flexmine.forecasting.issue import Forecast, forecast
from flexmine.forecasting.scoring import Scores, score

__all__ = ["Forecast", "Scores", "forecast", "score"]
