"""The audit: replays and prices a schedule, and re-checks written plans, sharing nothing with the optimizer."""
