"""How good conformations are, against reference conformations of the same polymer."""
