"""How the tables have changed, for databases that older versions made."""
