"""tidegauge.yml: one file for both programs, read by `cli` alone."""

from tidegauge.config.control import ControlConfig, PoolConfig
from tidegauge.config.load import Config, ConfigError, load
from tidegauge.config.serve import ServeConfig

__all__ = ["Config", "ConfigError", "ControlConfig", "PoolConfig", "ServeConfig", "load"]
