"""Labelled frames and, later, property tables."""
