"""Requests and answers, measured as their bytes pass and never kept: bytes in, `Exchange` out."""
