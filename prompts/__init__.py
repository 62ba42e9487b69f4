"""Released prompts and templates: files with versions, held by a lock."""
