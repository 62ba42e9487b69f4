"""Tokens and dollars of an answer, and their upper bound before it is given."""

from ieat.pipeline.config import Prices
from ieat.schemas.engine import Question, Usage

MESSAGE_TOKENS = 16
"""Most tokens that a chat template puts around a message."""
TEMPLATE_TOKENS = 256
"""Most tokens that a chat template adds to a question: its own system prompt, how to answer."""
AUDIO_TOKENS_PER_SECOND = 60.0
"""Most tokens of a second of sound: OpenAI's audio models take 10, Qwen2.5-Omni 25,
Qwen3-Omni 13."""
SPAN_TOKENS = 64
"""Most tokens that stand around a sound."""


def bound_question(question: Question) -> Usage:
    """Return the most that one attempt at a question can use.

    No tokenizer in use makes more tokens than a text has UTF-8 bytes.
    """
    seconds = question.span.duration if question.span else 0.0
    audio = round(seconds * AUDIO_TOKENS_PER_SECOND) + SPAN_TOKENS if question.span else 0
    around = TEMPLATE_TOKENS + MESSAGE_TOKENS * len(question.messages)
    return Usage(
        prompt_tokens=question.num_bytes + around + audio,
        completion_tokens=question.sampling.max_tokens,
        audio_tokens=audio,
    )


def bound_sound(seconds: float) -> Usage:
    """Return the most that one attempt at a transcription can use.

    Nobody speaks more than 40 tokens a second, words' times included.
    """
    audio = round(seconds * AUDIO_TOKENS_PER_SECOND) + SPAN_TOKENS
    return Usage(
        prompt_tokens=audio,
        completion_tokens=round(seconds * 40) + SPAN_TOKENS,
        audio_tokens=audio,
        audio_seconds=seconds,
    )


def known_usage(usage: Usage, bound: Usage) -> Usage:
    """Fill what a server does not say with the bound; parts of a known whole stay as they are."""
    says_prompt = usage.prompt_tokens is not None
    return usage.model_copy(
        update={
            "prompt_tokens": usage.prompt_tokens if says_prompt else bound.prompt_tokens,
            "audio_tokens": usage.audio_tokens
            if says_prompt or usage.audio_tokens is not None
            else bound.audio_tokens,
            "completion_tokens": usage.completion_tokens
            if usage.completion_tokens is not None
            else bound.completion_tokens,
            "audio_seconds": usage.audio_seconds
            if usage.audio_seconds is not None
            else bound.audio_seconds,
        }
    )


def count_tokens(usage: Usage) -> int:
    """Return the tokens of question and answer together."""
    return (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)


def price_usage(usage: Usage, prices: Prices) -> float:
    """Return what a usage costs, US dollars; what is unknown costs nothing here.

    Cached, reasoning and audio tokens are parts of the others, priced apart.
    """
    audio = min(usage.audio_tokens or 0, usage.prompt_tokens or 0)
    cached = min(usage.cached_tokens or 0, (usage.prompt_tokens or 0) - audio)
    words = (usage.prompt_tokens or 0) - audio - cached
    reasoning = min(usage.reasoning_tokens or 0, usage.completion_tokens or 0)
    said = (usage.completion_tokens or 0) - reasoning
    dollars_per_million = (
        words * prices.input
        + cached * _else(prices.cached_input, prices.input)
        + audio * _else(prices.audio_input, prices.input)
        + said * prices.output
        + reasoning * _else(prices.reasoning, prices.output)
    )
    return dollars_per_million / 1e6 + (usage.audio_seconds or 0.0) / 60 * prices.audio_minute


def price_bound(bound: Usage, prices: Prices) -> float:
    """Return the most that a bound can cost, US dollars: each part at its dearest."""
    dearest = Prices(
        input=max(prices.input, _else(prices.cached_input, 0.0)),
        output=max(prices.output, _else(prices.reasoning, 0.0)),
        # A server that does not count sound apart bills it as words.
        audio_input=max(prices.input, _else(prices.audio_input, 0.0)),
        audio_minute=prices.audio_minute,
    )
    return price_usage(bound, dearest)


def _else(price: float | None, otherwise: float) -> float:
    return otherwise if price is None else price
