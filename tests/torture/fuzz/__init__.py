"""A fuzzer of frames: what no client would send, at a live hub, with a healthy client beside it."""
