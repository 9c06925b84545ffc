"""From counts to containers, the audit, the plan and its tables."""
