"""MMPolymer: P-SMILES and conformers of the unit in two transformers (arXiv 2406.04727)."""
