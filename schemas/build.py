"""What a build says of itself: its books, its files, and what it was made from."""

from pydantic import Field

from ieat.schemas.base import SCHEMA_VERSION, Index, Value


class UnitCounts(Value):
    """What became of the units of one kind; the counts of codes are sorted by code."""

    read: Index = 0
    """Units that the corpora gave."""
    written: Index = 0
    """Units with a row."""
    dead: dict[str, int] = Field(default_factory=dict)
    """Units that failed, by code."""
    filtered: dict[str, int] = Field(default_factory=dict)
    """Units left out on purpose, by code."""
    not_reached: dict[str, int] = Field(default_factory=dict)
    """Units that the run stopped before, by code."""

    @property
    def num_dead(self) -> int:
        """Units that failed."""
        return sum(self.dead.values())

    @property
    def num_filtered(self) -> int:
        """Units left out on purpose."""
        return sum(self.filtered.values())

    @property
    def num_not_reached(self) -> int:
        """Units that the run stopped before."""
        return sum(self.not_reached.values())

    @property
    def is_balanced(self) -> bool:
        """Whether read = written + dead + filtered + not reached."""
        ended = self.written + self.num_dead + self.num_filtered + self.num_not_reached
        return self.read == ended


class UnbalancedBooksError(Exception):
    """Units were lost or counted twice: a defect of the pipeline, never of the data."""


class Books(Value):
    """What became of every unit that was read."""

    dialogues: UnitCounts = UnitCounts()
    """Dialogues; written ones have a row in `dialogues`."""
    turns: UnitCounts = UnitCounts()
    """Turns; written ones have a row in `stage1`."""
    targets: UnitCounts = UnitCounts()
    """Targets; written ones have a row in `stage2`."""
    tables: dict[str, UnitCounts] = Field(default_factory=dict)
    """Rows of each further table, by its name; read are those that the dialogues could give."""

    @property
    def by_name(self) -> dict[str, UnitCounts]:
        """All counts, further tables by their names."""
        kinds = {"dialogues": self.dialogues, "turns": self.turns, "targets": self.targets}
        return kinds | self.tables

    def balance(self) -> None:
        """Check that every unit that was read ended once.

        Raises:
            UnbalancedBooksError: A unit was lost or counted twice.
        """
        for name, counts in self.by_name.items():
            if not counts.is_balanced:
                raise UnbalancedBooksError(
                    f"{name}: read {counts.read}, but written {counts.written} + dead "
                    f"{counts.num_dead} + filtered {counts.num_filtered} + not reached "
                    f"{counts.num_not_reached}"
                )


class ShardFile(Value):
    """One file of a table."""

    table: str
    """Name of the table."""
    split: str
    """Split of the data set; `all` for dead letters."""
    file: str
    """Path within the build."""
    num_rows: Index
    """Rows in the file."""
    num_bytes: Index
    """Size of the file, bytes."""
    sha256: str
    """SHA-256 of the file, hexadecimal."""


class Manifest(Value):
    """The files of a build and its books; holds no times, so equal builds have equal manifests."""

    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    books: Books
    """What became of every unit that was read."""
    shards: tuple[ShardFile, ...]
    """All files of all tables, sorted by path."""
    codes: dict[str, int]
    """Dead letters by `unit:code`, states that failed within a written dialogue among them."""
    not_configured: tuple[str, ...]
    """Optional stages that this build does without."""

    def num_rows(self, table: str, split: str | None = None) -> int:
        """Count the rows of a table, or of one split of it."""
        return sum(
            shard.num_rows
            for shard in self.shards
            if shard.table == table and split in (None, shard.split)
        )

    def splits(self, table: str) -> tuple[str, ...]:
        """Return the splits of a table, sorted."""
        return tuple(sorted({shard.split for shard in self.shards if shard.table == table}))

    def balance(self) -> None:
        """Check the books, and that the rows in the files are those in the books.

        Raises:
            UnbalancedBooksError: A unit or a row was lost or counted twice.
        """
        self.books.balance()
        for table, counts in (
            ("dialogues", self.books.dialogues),
            ("stage1", self.books.turns),
            ("stage2", self.books.targets),
            *self.books.tables.items(),
        ):
            if self.num_rows(table) != counts.written:
                raise UnbalancedBooksError(
                    f"{table} holds {self.num_rows(table)} rows, but {counts.written} are in the "
                    "books"
                )
        if self.num_rows("_dead_letters") != sum(self.codes.values()):
            raise UnbalancedBooksError(
                f"_dead_letters holds {self.num_rows('_dead_letters')} rows, but "
                f"{sum(self.codes.values())} are counted"
            )


class ModelResource(Value):
    """A model that had a part in a build."""

    role: str
    """What it did: recognizer, labeler, attributor, language model."""
    model_id: str
    """The model, with its revision or the SHA-256 of its weights."""
    license: str | None
    """License of the model; null when unknown."""
    source: str | None
    """Where it comes from; null when unknown."""
    host: str | None = None
    """Host that was asked; null for an engine in the process, and where it is not known."""
    is_commercial: bool | None = None
    """Whether a commercial service answered; null when unknown."""
    is_open: bool | None = None
    """Whether its weights are open; null when unknown."""


class DataResource(Value):
    """A corpus that a build was made from."""

    corpus: str
    """Name of the corpus."""
    path: str
    """Where it was read."""
    licenses: tuple[str, ...]
    """Licenses as the corpus states them."""
    synthesizer: str | None = None
    """What synthesized its speech, as declared; null where people speak, or nobody knows."""
    synthesizer_is_open: bool | None = None
    """Whether the synthesizer is open, as declared; null when unknown."""


class PromptResource(Value):
    """A prompt or template that a build used."""

    prompt_id: str
    """Name, version and language."""
    sha256: str
    """SHA-256 of the template."""


class LibraryResource(Value):
    """A library that a build ran on; its version is in run.json."""

    name: str
    """Name of the package."""
    license: str | None
    """License as the package states it; null when it states none."""


class Resources(Value):
    """Everything from outside that a build used."""

    models: tuple[ModelResource, ...]
    """Models, in the order of the stages."""
    data: tuple[DataResource, ...]
    """Corpora, in the order of the configuration."""
    prompts: tuple[PromptResource, ...]
    """Prompts and templates, sorted by id."""
    libraries: tuple[LibraryResource, ...] = ()
    """Libraries, sorted by name."""
    commercial_api: bool | None = None
    """Whether a commercial service had a part; null when that of an engine is not known."""
    tts_open_source: bool | None = None
    """Whether every declared synthesizer of the corpora's speech is open; null when none is
    declared, or one is not known. The build itself synthesizes nothing."""
    thinking_template: str = (
        "The template of the thinking is ours, not the one of the paper (arXiv 2601.04960), "
        "which is not public."
    )
    """Where the template of the thinking comes from."""
