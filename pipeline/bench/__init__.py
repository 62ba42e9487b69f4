"""Benchmarks: run the stages on dialogues with gold labels, and say how often they are right."""
