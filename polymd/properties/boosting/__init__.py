"""Gradient-boosted trees on descriptors of infinite chains: one more opinion in the blend."""
