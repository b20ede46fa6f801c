"""Errors handed on to what people use for errors: closed vocabularies and counts, no text."""
