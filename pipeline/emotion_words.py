"""Emotion words of corpora, and which of the seven they mean."""

from ieat.pipeline.config import LabelSettings
from ieat.schemas.emotion import Emotion, EmotionLabel

SAME_WORD: dict[str, Emotion] = {
    word: emotion
    for emotion, words in {
        Emotion.HAPPY: "happy happiness hap joy joyful 高兴 开心 快乐 喜悦",
        Emotion.SAD: "sad sadness 悲伤 伤心 难过",
        Emotion.ANGER: "anger angry ang 愤怒 生气",
        Emotion.FEAR: "fear fearful fea afraid scared 害怕 恐惧",
        Emotion.NEUTRAL: "neutral neu neutrality 中性 平静",
        Emotion.SURPRISE: "surprise surprised sur astonished 惊讶 吃惊",
        Emotion.DISGUST: "disgust disgusted dis 厌恶",
    }.items()
    for word in words.split()
}
"""Other forms of the seven words: inflections, corpus abbreviations, Chinese."""


def gold_label(word: str | None, settings: LabelSettings) -> EmotionLabel | None:
    """Return the corpus' label of a turn, or null when there is none.

    A word outside the seven is dropped, mapped by the user's table, or kept as `raw` with a null
    emotion, as `settings.outside` says. A word that the table lacks is kept as `raw`.
    """
    if word is None or not word.strip():
        return None
    plain = word.strip()
    emotion = SAME_WORD.get(plain.lower())
    if settings.outside == "map" and plain in settings.emotion_map:
        emotion = settings.emotion_map[plain]
    if emotion is None and settings.outside == "drop":
        return None
    return EmotionLabel(
        source="gold",
        labeler_id="gold",
        emotion=emotion,
        raw=None if emotion is not None and plain == emotion.value else plain,
    )
