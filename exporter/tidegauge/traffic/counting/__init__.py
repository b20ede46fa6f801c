"""Exchanges added up: counters, histograms, and clients by their share."""
