"""The stages: one verb a file, a pure (async) function and the transform that wires it."""
