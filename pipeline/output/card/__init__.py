"""The dataset card: README.md with the features that loaders need and the counts people need."""

from ieat.pipeline.output.card.page import CARD, compose_card, write_card

__all__ = ["CARD", "compose_card", "write_card"]
