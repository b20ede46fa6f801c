"""The demo: every part real, on one machine, on loopback. tidegauge never imports it."""
