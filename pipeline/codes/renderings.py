"""What a rendering leaves out of a build, or writes otherwise."""

from ieat.pipeline.codes.code import Code

RENDERINGS: dict[str, Code] = {
    "answer_cut": Code(
        "rendering",
        "The teacher's answer was cut at its limit, and trainers would learn its end.",
        "Raise teacher_settings.max_tokens, or read the row by read_stage1.",
    ),
    "reply_first": Code(
        "rendering",
        "The row begins with a reply; an empty turn of the user stands before it in the line.",
        "Nothing needs to be done: trainers want the user first.",
    ),
    "several_clips": Code(
        "rendering",
        "The turn that is answered has several clips, and the format takes one.",
        "Render to another format.",
    ),
    "tag_in_words": Code(
        "rendering",
        "The words of the row hold what the trainer takes for a tag.",
        "Choose other --thinking-tags, or mend the words in the corpus.",
    ),
    "task_not_in_format": Code(
        "rendering", "The format has no such task.", "Render to another format."
    ),
    "text_in_turn": Code(
        "rendering",
        "The turn has words in place of sound, and the format, or the task, takes sound only.",
        "Render to another format; a task of stage 1 needs sound in every one.",
    ),
    "turns_left_out": Code(
        "rendering",
        "Earlier turns are not one clip and one reply each, so the format has no place for them.",
        "Render to another format.",
    ),
}
