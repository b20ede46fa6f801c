"""How far today's requests are from a reference: bins, reference, windows, tests, and the monitor.

No clock, no network, no logging: same arguments, same answer.
"""
