"""The judge of a finished build, open."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ieat.pipeline.config.judging import JudgeConfig
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.ports import ResponseStore
from ieat.pipeline.run_state import RunState
from ieat.pipeline.store.opening import open_store
from ieat.pipeline.store.stored import MeteredLanguageModel
from ieat.pipeline.wiring.asking import Parts, limits_folder, metered_model, sampling_of
from ieat.schemas.engine import Sampling


@dataclass
class JudgeEngines:
    """A judge and the store that it is asked through."""

    model: MeteredLanguageModel
    """The judge behind the response store."""
    sampling: Sampling
    """How its answers are drawn."""
    store: ResponseStore
    closers: tuple[Callable[[], Awaitable[None]], ...]

    async def close(self) -> None:
        """Let go of connections and the store, the store last."""
        for close in self.closers:
            await close()
        await asyncio.to_thread(self.store.close)


def open_judge(config: JudgeConfig, state: RunState) -> JudgeEngines:
    """Open a judge.

    Raises:
        ConfigError: A key or the store is missing or cannot work.
    """
    store = open_store(config.store_folder, replay=config.replay)
    try:
        parts = Parts(config, state, store)
        settings = config.judge_settings
        model = OpenAIChat(
            config.judge.partition(":")[2],
            settings,
            limits_folder(config),
            settings_name="judge_settings",
        )
        asked = metered_model(parts, model, settings, "judge")
    except BaseException:
        store.close()
        raise
    return JudgeEngines(asked, sampling_of(settings), store, tuple(parts.closers))
