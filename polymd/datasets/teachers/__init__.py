"""Teachers: the potentials whose energies and forces become labels, behind one small interface."""

from polymd.datasets.teachers.base import Labels, Teacher, TeacherError
from polymd.datasets.teachers.registry import load_student, load_teacher

__all__ = ["Labels", "Teacher", "TeacherError", "load_student", "load_teacher"]
