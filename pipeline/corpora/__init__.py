"""Corpora: one reader per layout, each giving dialogues in the one form of the pipeline."""

from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora.call import CallCorpus
from ieat.pipeline.corpora.folder import FolderCorpus
from ieat.pipeline.corpora.humdial import HumdialCorpus
from ieat.pipeline.corpora.manifest import ManifestCorpus
from ieat.pipeline.ports import Corpus


def open_corpus(settings: InputSettings, input_index: int) -> Corpus:
    """Return the reader of the input's layout; nothing is read yet.

    Raises:
        ConfigError: The settings of the layout do not fit together.
    """
    if settings.layout == "manifest":
        return ManifestCorpus(settings, input_index)
    if settings.layout == "folder":
        return FolderCorpus(settings, input_index)
    if settings.layout == "call":
        return CallCorpus(settings, input_index)
    return HumdialCorpus(settings, input_index)


__all__ = ["CallCorpus", "FolderCorpus", "HumdialCorpus", "ManifestCorpus", "open_corpus"]
