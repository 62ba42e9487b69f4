"""The one shared step: an async function over dialogues, many in flight, failures routed aside.

Beam reads the hints of this module at run time, so annotations stay real objects here.
"""

import asyncio
import gc
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import BoundedWindow
from apache_beam.utils.shared import Shared
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from ieat.pipeline.failures import RecordError, RunStopped
from ieat.pipeline.history import attributed_speakers, find_targets
from ieat.pipeline.run_state import RunState
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import (
    AttributedDialogue,
    HeardDialogue,
    LabeledDialogue,
    SetAside,
    TranscribedDialogue,
)

ASIDE = "aside"
"""Tag of the dialogues that leave the pipeline at a step."""

Input = TypeVar("Input")
Output = TypeVar("Output")
Element = Dialogue | HeardDialogue | TranscribedDialogue | LabeledDialogue | AttributedDialogue


class Closing(Protocol):
    """Engines of a worker as a whole."""

    def close(self) -> Coroutine[Any, Any, None]:
        """Let go of connections, models and files."""
        ...


Engines = TypeVar("Engines", bound=Closing)


class Worker(Generic[Engines]):
    """What all steps of one process share: an event loop in a thread, engines, run state.

    Args:
        open_engines: Opens the engines; called once, in the event loop.
        state: Progress and stop reason.
    """

    def __init__(self, open_engines: Callable[[RunState], Engines], state: RunState) -> None:
        self.state = state
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="ieat-engines", daemon=True
        )
        self._thread.start()
        try:
            self.engines: Engines = self.wait_for(_call(open_engines, state))
        except BaseException:
            self._end_loop()
            raise
        # What is loaded by now stays: looking through it for garbage again and again takes an
        # eighth of the time of a fast stage.
        gc.collect()
        gc.freeze()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the event loop without waiting for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, work: Coroutine[Any, Any, Output]) -> Output:
        """Run a coroutine in the event loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Close the engines and end the event loop."""
        if self._loop.is_closed():
            return
        self.wait_for(self.engines.close())
        self._end_loop()
        gc.unfreeze()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


async def _call(open_engines: Callable[[RunState], Engines], state: RunState) -> Engines:
    return open_engines(state)


class EngineRoom(Generic[Engines]):
    """Where steps of one process meet their worker; travels pickled to wherever a step runs.

    Args:
        open_engines: Opens the engines; pickled.
        open_state: Makes the run state; pickled.
        user_speaker: Whose turns are answered, for counting the targets of lost dialogues.
    """

    def __init__(
        self,
        open_engines: Callable[[RunState], Engines],
        open_state: Callable[[], RunState],
        user_speaker: str,
    ) -> None:
        self.user_speaker = user_speaker
        self._open_engines = open_engines
        self._open_state = open_state
        # One handle for all steps: Beam keeps one object for it in each process.
        self._shared = Shared()

    def enter(self) -> Worker[Engines]:
        """Return the worker of this process, opened at the first call.

        Raises:
            EngineUnavailable: An engine cannot be opened.
            ConfigError: An engine or the store is configured in a way that cannot work.
        """
        worker: Worker[Engines] = self._shared.acquire(
            lambda: Worker(self._open_engines, self._open_state())
        )
        return worker


class _Ended(NamedTuple):
    """A dialogue that left an async function, with what Beam needs to place it."""

    value: object
    timestamp: Timestamp
    windows: tuple[BoundedWindow, ...]


class _MapAsyncDoFn(beam.DoFn):
    """Keeps up to `in_flight` dialogues at work across calls of `process`."""

    def __init__(
        self,
        stage: str,
        function: Callable[[Any, Any], Awaitable[Any]],
        pick: Callable[[Any], Any],
        room: EngineRoom[Any],
        in_flight: int,
    ) -> None:
        self._stage = stage
        self._function = function
        self._pick = pick
        self._room = room
        self._in_flight = in_flight

    def setup(self) -> None:
        self._worker = self._room.enter()

    def start_bundle(self) -> None:
        self._ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        self._num_pending = 0

    def process(
        self,
        element: Element,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        stop = self._worker.state.stop_reason
        if stop is not None:
            yield TaggedOutput(ASIDE, self._aside(element, "not_reached", stop.code, stop.message))
            return
        while self._num_pending >= self._in_flight:
            yield self._take()
        self._num_pending += 1
        self._worker.state.begin(self._stage)
        self._worker.start(self._run(element, timestamp, (window,)))
        while not self._ended.empty():
            yield self._take()

    def finish_bundle(self) -> Iterator[Any]:
        while self._num_pending:
            yield self._take()

    def _take(self) -> Any:
        """Wait for a dialogue to end and return it as Beam wants it, with its own window."""
        ended = self._ended.get()
        self._num_pending -= 1
        if isinstance(ended.value, BaseException):
            raise ended.value
        placed = WindowedValue(ended.value, ended.timestamp, ended.windows)
        return TaggedOutput(ASIDE, placed) if isinstance(ended.value, SetAside) else placed

    async def _run(
        self, element: Element, timestamp: Timestamp, windows: tuple[BoundedWindow, ...]
    ) -> None:
        value: object
        state = self._worker.state
        try:
            value = await self._function(element, self._pick(self._worker.engines))
        except RecordError as error:
            value = self._aside(element, "dead", error.code, error.message, error.response_keys)
        except RunStopped as error:
            state.stop(error.code, error.message)
            value = self._aside(element, "not_reached", error.code, error.message)
        # Any other exception stops the run: it is handed over and raised where Beam sees it.
        except BaseException as error:  # noqa: BLE001
            value = error
        state.end(self._stage, is_failed=isinstance(value, SetAside) and value.end == "dead")
        self._ended.put(_Ended(value, timestamp, windows))

    def _aside(
        self,
        element: Element,
        end: Any,
        code: str,
        message: str,
        response_keys: tuple[str, ...] = (),
    ) -> SetAside:
        aside = set_aside(element, end, self._stage, code, message, self._room.user_speaker)
        return aside.model_copy(update={"response_keys": response_keys}) if response_keys else aside


def set_aside(
    element: Element, end: Any, stage: str, code: str, message: str, user_speaker: str
) -> SetAside:
    """Return a dialogue as one that leaves the pipeline here."""
    dialogue = element if isinstance(element, Dialogue) else element.dialogue
    try:
        targets = find_targets(
            ((turn.index, turn.speaker) for turn in dialogue.turns),
            attributed_speakers(dialogue, user_speaker),
        )
    except RecordError:
        targets = ()
    return SetAside(
        dialogue_id=dialogue.dialogue_id,
        source=dialogue.source,
        end=end,
        stage=stage,
        code=code,
        message=message,
        record=element.model_dump_json() if end == "dead" else "",
        num_turns=len(dialogue.turns),
        num_targets=len(targets),
    )


class DeadLetters:
    """Gathers what every step sets aside, to be written once at the end."""

    def __init__(self) -> None:
        self._gathered: list[PCollection[SetAside]] = []

    def take(self, aside: PCollection[SetAside]) -> None:
        """Add what one step set aside."""
        self._gathered.append(aside)

    def all(self) -> PCollection[SetAside]:
        """Return everything that was set aside."""
        return tuple(self._gathered) | "Gather dead letters" >> beam.Flatten()


class StepContext(NamedTuple):
    """What every step of a build needs besides its own meaning."""

    room: EngineRoom[Any]
    """Where the worker is met."""
    dead_letters: DeadLetters
    """Takes what fails."""
    in_flight: int
    """Most dialogues at work at once in a step."""


class MapDialogues(beam.PTransform):
    """Applies an async function to each dialogue.

    Args:
        stage: Name of the stage, for progress and dead letters.
        function: `async (dialogue, engine) -> dialogue`.
        pick: Takes the engine out of the engines of the worker.
        output_type: Record type that the function returns.
        context: Worker, dead letters and limit of the build.
    """

    def __init__(
        self,
        stage: str,
        function: Callable[[Any, Any], Awaitable[Any]],
        pick: Callable[[Any], Any],
        output_type: type[Any],
        context: StepContext,
    ) -> None:
        super().__init__()
        self._stage = stage
        self._dofn = _MapAsyncDoFn(stage, function, pick, context.room, context.in_flight)
        self._output_type = output_type
        self._dead_letters = context.dead_letters

    def expand(self, dialogues: PCollection[Element]) -> PCollection[Any]:
        """Return what the function makes of the dialogues; the rest is set aside."""
        done = dialogues | self._stage >> beam.ParDo(self._dofn).with_outputs(ASIDE, main="done")
        done[ASIDE].element_type = SetAside
        done["done"].element_type = self._output_type
        self._dead_letters.take(done[ASIDE])
        return done["done"]


async def first_then_rest(works: list[Coroutine[Any, Any, Output]]) -> list[Output]:
    """Await the first piece of work alone, the others side by side.

    The first question of a dialogue fills the provider's prefix cache for the others.
    """
    if not works:
        return []
    try:
        first = await works[0]
    except BaseException:
        for work in works[1:]:
            work.close()
        raise
    # All are awaited even when one fails: their answers are paid and must reach the store.
    rest = await asyncio.gather(*works[1:], return_exceptions=True)
    return [first, *(_or_raise(result) for result in rest)]


def _or_raise(result: Output | BaseException) -> Output:
    if isinstance(result, BaseException):
        raise result
    return result
