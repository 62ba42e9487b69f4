"""What a rendering leaves out of a build, or writes otherwise."""

from ieat.pipeline.codes.code import Code

RENDERINGS: dict[str, Code] = {
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
    "text_in_turn": Code(
        "rendering",
        "The turn that is answered has words in place of sound, and the format takes sound only.",
        "Render to another format.",
    ),
    "turns_left_out": Code(
        "rendering",
        "Earlier turns are not one clip and one reply each, so the format has no place for them.",
        "Render to another format.",
    ),
}
