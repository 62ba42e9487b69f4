"""Rows, files, manifest and card: everything that a build leaves behind."""
