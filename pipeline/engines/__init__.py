"""Adapters: everything outside the pipeline that hears, labels or answers."""
