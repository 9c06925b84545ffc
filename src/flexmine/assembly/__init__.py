"""From a Case to the Problem: physics applied, calendars laid on steps, containers grouped into classes."""

from flexmine.assembly.build import Assembly, assemble

__all__ = ["Assembly", "assemble"]
