"""Properties of polymers from their P-SMILES, with the models that polymd ships or a user trained."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from polymd.properties.read_chain import MANY, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from mdtraj import Trajectory

    from polymd.properties.estimates import Estimates
    from polymd.properties.property_model import PropertyModel

__all__ = ["SHIPPED", "predict"]

SHIPPED = Path(__file__).parent / "weights" / "properties.safetensors"
COLUMNS = ("psmiles", "property", "value", "uncertainty", "lower", "upper", "unit", "model", "in_domain")


def predict(
    x: str | Sequence[str] | Trajectory,
    properties: str | Sequence[str] = "all",
    *,
    model: str | Path = "auto",
) -> pd.DataFrame:
    """Predict properties of polymers, or of the units of a chain along its trajectory.

    Parameters
    ----------
    x
        A P-SMILES, or many; or an mdtraj trajectory of a `Polymer`, such as `Run.trajectory`, whose rows are
        those of `polymd.properties.trajectory_prediction.predict_along`, by the file's network that sees 3D,
        `mmpolymer`, `two-channel` or `mips` trained with `--shape`.
    properties
        `all` that the model knows, one name, or several; see `polymd.datasets.properties.TABLES`.
    model
        `auto`, the shipped blend; `gp`, its Gaussian process on fingerprints, which needs no torch; `trees`,
        `mips`, `two-channel`, `mmpolymer`, one of its other members; or the path of a file of `polymd train
        property`.

    Returns
    -------
    pandas.DataFrame
        One row a polymer and property, polymers in the order given:

        ===================  =====================================================================
        psmiles, property    as given
        value                the estimate, in `unit`
        uncertainty          its standard deviation; half the 90 % interval divided by 1.645
        lower, upper         the 90 % interval
        unit, model          of the value; which model it comes from
        in_domain            whether the polymer is like those that the model was trained on
        ===================  =====================================================================

        All spellings of an infinite chain have the same values. Stereo is not seen.

    Raises
    ------
    ValueError
        A P-SMILES that is none, with its number where there are several; no such property or model.
    """
    if not isinstance(x, str) and hasattr(x, "topology"):
        return _along(x, properties, *_find(str(model)))
    polymers = [x] if isinstance(x, str) else list(x)
    if not polymers:
        raise ValueError("no polymers were given; allowed: one P-SMILES or more; fix: predict('*CC*')")
    with reading(polymers) as read:  # which goes on while this process loads what it needs
        from threadpoolctl import threadpool_limits

        loaded, kind = _find(str(model))
        names = _names(properties, loaded.names(kind))
        with threadpool_limits(1 if len(polymers) >= MANY else None):  # two parts at once, a core each
            loaded.prepare(names, kind)
            estimates = loaded.predict(names, read(), kind)
    return _table(polymers, estimates, loaded, kind)


def _table(
    polymers: list[str], estimates: dict[str, Estimates], loaded: PropertyModel, kind: str
) -> pd.DataFrame:
    """Estimates by property as the rows of `predict`."""
    import numpy as np
    import pandas as pd

    from polymd.properties.estimates import WITHIN_90

    names, frames = list(estimates), []
    for name in names:
        low, middle, high = estimates[name].interval()
        frames.append(
            pd.DataFrame(
                {
                    "psmiles": polymers,
                    "property": name,
                    "value": middle,
                    "uncertainty": (high - low) / (2.0 * WITHIN_90),
                    "lower": low,
                    "upper": high,
                    "unit": loaded.card(name)["unit"],
                    "model": loaded.model_of(name, kind),
                    "in_domain": estimates[name].inside,
                }
            )
        )
    order = np.arange(len(polymers) * len(names)).reshape(len(names), -1).T.ravel()
    return pd.concat(frames, ignore_index=True).iloc[order].reset_index(drop=True)


def _along(
    trajectory: Trajectory, properties: str | Sequence[str], loaded: PropertyModel, kind: str
) -> pd.DataFrame:
    """Along a trajectory, by the first network that sees 3D."""
    from polymd.properties.trajectory_prediction import SpatialNetwork, predict_along

    for key, network in loaded.networks.items():
        if kind in ("auto", key) and isinstance(network, SpatialNetwork) and network.sees_space:
            names = _names(properties, loaded.names(key))
            return predict_along(trajectory, network, loaded.processes.cards(), names)
    raise ValueError(
        f"model {kind!r} of this file has no network that sees 3D, which trajectories need; allowed: "
        "mmpolymer, two-channel, mips with --shape; fix: polymd train property NAMES --model mmpolymer "
        "--out mine.safetensors"
    )


def _find(model: str) -> tuple[PropertyModel, str]:
    """The shipped file or a user's, and which kind of model in it is asked for."""
    from polymd.properties.property_model import KINDS

    if model in KINDS:
        return _load(SHIPPED, 0), model
    if not Path(model).is_file():
        raise ValueError(
            f"no model {model!r}; allowed: {', '.join(KINDS)}, or a file of polymd train property; "
            "fix: check the name"
        )
    return _load(Path(model), Path(model).stat().st_mtime_ns), "auto"


@lru_cache(maxsize=4)
def _load(path: Path, changed: int) -> PropertyModel:
    """A file, read once as long as it is not changed."""
    from polymd.properties.property_model import PropertyModel

    return PropertyModel.load(path)


def _names(properties: str | Sequence[str], known: list[str]) -> list[str]:
    """The properties asked for, each once."""
    from difflib import get_close_matches

    if not known:
        raise ValueError(
            "this file has no such network; allowed: auto, gp; fix: polymd train property ... --model NETWORK"
        )
    if properties == "all":
        return known
    asked = list(dict.fromkeys([properties] if isinstance(properties, str) else properties))
    for name in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else "; fix: take one of them, or all"
            raise ValueError(f"no property {name!r} in this model; allowed: {', '.join(known)}{hint}")
    if not asked:
        raise ValueError(f"no properties were asked for; allowed: all, {', '.join(known)}; fix: name one")
    return asked
