"""Audio: find the bytes, decode a span, measure it, cut speech, write clips."""
