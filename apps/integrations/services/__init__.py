"""Verbs of this floor. One file per subject."""
