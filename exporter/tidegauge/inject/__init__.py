"""Load that does not wait for answers: arrivals, prompts, and a client that tells how each went."""
