"""From the engine's process to the sidecar: what the middleware says over the UNIX socket."""
