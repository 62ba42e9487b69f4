"""The corpora of a build."""

from typing import Literal

from pydantic import Field

from ieat.pipeline.config.base import Settings

Layout = Literal["manifest", "folder", "call", "humdial"]


class FolderSettings(Settings):
    """How files of the layout `folder` are named."""

    pattern: str = r"(?:turn)?[_-]?(?P<index>\d+)[_-]?(?P<speaker>.*)"
    """Regular expression over the file's stem, with the groups `index` and `speaker`."""


class CallSettings(Settings):
    """How two-channel recordings are cut into turns."""

    speakers: tuple[str, ...] = ("left", "right")
    """Name of the speaker on each channel."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Voice probability at which speech begins; it ends 0.15 below."""
    min_speech: float = Field(default=0.25, gt=0)
    """Shortest stretch that counts as speech, seconds."""
    min_silence: float = Field(default=0.6, gt=0)
    """Silence of one speaker that ends a turn, seconds."""
    max_turn: float = Field(default=30.0, gt=1)
    """Longest turn, seconds; a longer one is cut at its longest pause."""
    pad: float = Field(default=0.1, ge=0)
    """Time kept on both sides of a cut, seconds."""


class HumdialSettings(Settings):
    """How the published HumDial trees are read."""

    tasks: dict[str, str] = Field(
        default={"task1": "T4", "task2": "T1", "task3": "T2", "task4": "T3"}
    )
    """Task of each file-name prefix; the default is the numbering of the distributed trees."""
    exclude: tuple[str, ...] = (
        "task2_3_zh_0015",
        "task2_4_zh_0015",
        "task2_5_zh_0015",
        "task2_4_en_0002_0014",
    )
    """Ids and prefixes of ids that are left out: the organizers' notice of 17 November 2025."""
    exclude_from: tuple[str, ...] = ("dev", "test")
    """Splits that `exclude` applies to."""


class InputSettings(Settings):
    """One input of a build."""

    path: str = Field(min_length=1)
    """File, folder or fsspec URL."""
    layout: Layout = "manifest"
    """How the corpus is laid out."""
    corpus: str | None = None
    """Name of the corpus, first part of every id; null takes the name of file or folder."""
    language: str | None = None
    """Language of dialogues that do not say it themselves."""
    split: str = "train"
    """Split of dialogues that do not say it themselves."""
    license: str | None = None
    """License of dialogues that do not say it themselves."""
    synthesizer: str | None = None
    """What synthesized the speech, as name and version; null where people speak, or nobody
    knows."""
    synthesizer_is_open: bool | None = None
    """Whether the synthesizer is open; null means not known."""
    speaker_scope: Literal["corpus", "dialogue"] | None = None
    """Whether a speaker's name means one person in the whole `corpus`, or in its `dialogue` alone,
    as roles do (left, user, A); null means the dialogue."""
    folder: FolderSettings = FolderSettings()
    """Settings of the layout `folder`."""
    call: CallSettings = CallSettings()
    """Settings of the layout `call`."""
    humdial: HumdialSettings = HumdialSettings()
    """Settings of the layout `humdial`."""
