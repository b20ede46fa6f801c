"""tidegauge watches large language models in production and keeps them healthy."""

__version__ = "0.1.0"
