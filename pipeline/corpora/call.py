"""The layout `call`: one recording a dialogue, a channel a speaker, turns cut by voice activity."""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import PurePosixPath

from ieat.pipeline.audio.reading import UnreadableError, describe
from ieat.pipeline.audio.source import hash_file, open_source
from ieat.pipeline.audio.voice_activity import cut_speech, file_probabilities
from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora.naming import build_dialogue, check_id, name_corpus, require_language
from ieat.pipeline.corpora.places import Place, find_place, refuse_empty, walk
from ieat.pipeline.failures import BadAudio, BadInput, ConfigError
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SourceUnit


class CallCorpus:
    """Reads one recording, or every audio file under a folder; nothing in them delimits turns."""

    def __init__(self, settings: InputSettings, input_index: int) -> None:
        self._settings = settings
        self._input_index = input_index
        self._language = require_language(settings)
        if len(set(settings.call.speakers)) != len(settings.call.speakers) or not all(
            settings.call.speakers
        ):
            raise ConfigError("call.speakers must name each channel's speaker, each name once")

    @cached_property
    def _root(self) -> Place:
        return find_place(self._settings.path)

    def units(self) -> Iterator[SourceUnit]:
        """Yield one unit a recording, in natural order."""
        place = self._root
        return refuse_empty(
            (
                SourceUnit(input_index=self._input_index, source=found.uri, uri=found.uri)
                for found in self._recordings(place)
            ),
            f"{place.uri} holds no audio file; looked for two-channel recordings",
        )

    def read(self, unit: SourceUnit) -> Dialogue:
        """Cut each channel by voice activity and order the turns by their start."""
        settings = self._settings.call
        root = self._root
        with open_source(unit.uri) as source:
            digest = hash_file(source)
            try:
                num_channels = describe(source).channels
            except UnreadableError as error:
                raise BadAudio("audio_undecodable", f"{unit.source}: {error}") from error
            if num_channels != len(settings.speakers):
                raise BadInput(
                    "wrong_channels",
                    f"{unit.source}: {num_channels} channels, {len(settings.speakers)} speakers; "
                    "the layout `call` needs a channel a speaker: set call.speakers, or use the "
                    "layout `manifest` with the times of the turns",
                )
            cuts = sorted(
                (start, end, channel)
                for channel in range(num_channels)
                for start, end in self._cut(unit.uri, channel)
            )
        if not cuts:
            raise BadInput(
                "no_speech", f"{unit.source}: no speech found; lower call.threshold or leave it out"
            )
        return build_dialogue(
            {
                "corpus": name_corpus(self._settings, root),
                "name": check_id(_name(unit.uri, root), unit.source),
                "language": self._language,
                "split": self._settings.split,
                "license": self._settings.license,
                "source": unit.source,
                "source_sha256": digest,
                "turns": tuple(
                    {
                        "index": index,
                        "source_turn_id": f"{channel}:{start:.3f}",
                        "speaker": settings.speakers[channel],
                        "audio": AudioSpan(uri=unit.uri, channel=channel, start=start, end=end),
                        "is_given": False,
                    }
                    for index, (start, end, channel) in enumerate(cuts)
                ),
                "flags": ("overlapping",) if any(b[0] < a[1] for a, b in pairwise(cuts)) else (),
            },
            unit.source,
        )

    def _recordings(self, place: Place) -> Iterator[Place]:
        if not place.is_folder:
            yield place
            return
        for found in walk(place.uri):
            if found.is_audio:
                yield found

    def _cut(self, uri: str, channel: int) -> list[tuple[float, float]]:
        settings = self._settings.call
        probabilities, duration = file_probabilities(uri, channel)
        return cut_speech(
            probabilities,
            duration,
            threshold=settings.threshold,
            min_speech=settings.min_speech,
            min_silence=settings.min_silence,
            pad=settings.pad,
            max_length=settings.max_turn,
        )


def _name(uri: str, root: Place) -> str:
    """Return the path below the input's folder without its extension; a lone file's stem."""
    if not root.is_folder:
        return root.stem
    relative = uri.removeprefix(root.uri.rstrip("/")).lstrip("/\\").replace("\\", "/")
    return str(PurePosixPath(relative).with_suffix(""))
