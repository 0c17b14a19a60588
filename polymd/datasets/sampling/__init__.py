"""Sampling of geometries for labelling: starts from P-SMILES, Langevin dynamics on a cheap teacher."""
