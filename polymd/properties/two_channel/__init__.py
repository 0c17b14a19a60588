"""One transformer with two channels: the graph of a chain or molecule, and its atoms in space."""
