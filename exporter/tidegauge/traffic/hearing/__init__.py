"""Bytes of requests and answers in, an `Ended` out: whatever API they are of, however split."""
