"""The reverse proxy: HTTP/1 passed on byte by byte, and heard aside."""
