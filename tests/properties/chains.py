"""Random P-SMILES of plausible backbones and side groups."""

from collections.abc import Iterator

import numpy as np

LINKS = (
    "C", "C", "C", "O", "N", "S", "C(=O)", "C(C)", "C(F)(F)", "C(Cl)", "C(C#N)", "C(O)", "C(c1ccccc1)",
    "C(C(=O)OC)", "C(CCC(C)C)", "[Si](C)(C)", "S(=O)(=O)", "C=C", "C#C", "c1ccc(cc1)", "c1cccc(c1)",
    "C1CCC(CC1)", "c1ccc(s1)", "C(OCc1ccncc1)", "N(C)", "c1cc2ccc(cc2cc1)", "C1CC2CC1CC2(C)",
)  # fmt: skip


def random_psmiles(n: int, seed: int) -> Iterator[str]:
    """So many P-SMILES of 1 to 6 links; some chains are repeats of a smaller unit."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield "*" + "".join(rng.choice(LINKS, size=rng.integers(1, 7))) + "*"
