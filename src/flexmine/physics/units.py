"""Conversions that several formulas need; the audit has its own, because it shares nothing with what it checks."""

W_PER_MW = 1e6
SECONDS_PER_HOUR = 3600.0
