"""What the user edits becomes frozen, validated, unit-named objects."""
