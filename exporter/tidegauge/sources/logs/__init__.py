"""The engine's log as a source: files and pipes followed, lines joined, patterns counted."""
