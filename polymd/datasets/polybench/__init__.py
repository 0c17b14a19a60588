"""Reference conformations of polymers: GAFF2 dynamics of chains in vacuum."""
