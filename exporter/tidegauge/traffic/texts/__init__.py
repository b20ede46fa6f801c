"""What texts show, as numbers: features and vectors, before the texts are let go."""
