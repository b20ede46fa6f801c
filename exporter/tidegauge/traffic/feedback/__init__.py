"""What users think of answers, joined to the answers, and no comment kept."""
