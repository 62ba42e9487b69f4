"""Judge the answers of a finished build by a rubric; the build's rows stay as they are."""
