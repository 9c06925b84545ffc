"""From counts to containers, from containers to miners, and the tables of a schedule."""
