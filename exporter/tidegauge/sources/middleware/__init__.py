"""Exchanges of processes that have the middleware in them, heard over a UNIX socket."""
