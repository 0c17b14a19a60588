"""Labelled frames and property tables."""
