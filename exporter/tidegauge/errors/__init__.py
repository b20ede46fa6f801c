"""Errors as data: what they are called, how bad they are, by what they are grouped."""
