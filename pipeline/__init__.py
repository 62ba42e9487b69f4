"""The pipeline: raw speech dialogues in, audited training rows out."""
