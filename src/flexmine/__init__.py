"""flexmine plans the power of bitcoin-mining containers against hydropower surplus, price and temperature."""

from flexmine._version import __version__

__all__ = ["__version__"]
