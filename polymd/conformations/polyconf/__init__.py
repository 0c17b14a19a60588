"""PolyConf: conformations of repeat units drawn one after the other, then their rotations in the chain.

H. Wang et al., PolyConf: Unlocking Polymer Conformation Generation through Hierarchical Generative Models,
ICML 2025, arXiv 2504.08859. `sampling` is where to begin reading; docs/polyconf.md says what differs.
"""
