"""Labelling of frames with a teacher: parallel, resumable, nothing lost when stopped."""

from polymd.datasets.labelling.runner import LabellingError, Summary, label
from polymd.datasets.labelling.settings import Settings

__all__ = ["LabellingError", "Settings", "Summary", "label"]
