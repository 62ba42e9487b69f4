"""The response store: every paid or slow answer is kept under the key of its question."""
