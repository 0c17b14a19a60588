"""MIPS: localised graph attention on infinite chains (arXiv 2507.20326), pre-trained by masked atoms."""
