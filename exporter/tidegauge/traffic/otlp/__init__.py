"""OTLP traces: what other programs have measured already, as exchanges. Spans in, `Ended` out."""
