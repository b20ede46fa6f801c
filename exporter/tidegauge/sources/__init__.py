"""What can be read: each source is one module that implements `Source`."""
