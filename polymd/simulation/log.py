"""The log of a run, one CSV line a frame in the units of polymd."""

from pathlib import Path

COLUMNS = (
    "step", "time_fs", "potential_energy_eV", "kinetic_energy_eV", "temperature_K", "density_g_cm3",
    "forces_std_eV_A", "speed_ns_day",
)  # fmt: skip


class LogWriter:
    """Lines of `log.csv`; without the density in vacuum, and without the largest `forces_std` of an atom
    where no committee looks on.

    Parameters
    ----------
    path
        The CSV file.
    periodic, uncertain
        Whether there is a density, and a committee.
    rows
        0 starts a new file; more keeps that many rows of an existing one and drops the rest.
    """

    def __init__(self, path: Path, *, periodic: bool, uncertain: bool = False, rows: int = 0) -> None:
        given = {"density_g_cm3": periodic, "forces_std_eV_A": uncertain}
        self._columns = [name for name in COLUMNS if given.get(name, True)]
        lines = [",".join(self._columns)]
        if rows:
            old = path.read_text().splitlines() if path.exists() else []
            if len(old) < rows + 1:
                raise ValueError(f"{path} is shorter than the {rows} rows of its checkpoint; start a new run")
            lines = old[: rows + 1]
        path.write_text("".join(line + "\n" for line in lines))
        self._file = path.open("a")

    def write(self, values: dict[str, float | None]) -> None:
        """Append one row; a value that is None stays empty."""
        cells = ("" if values[name] is None else f"{values[name]:.12g}" for name in self._columns)
        self._file.write(",".join(cells) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
