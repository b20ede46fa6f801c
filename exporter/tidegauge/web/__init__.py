"""The HTTP face that both programs show, and what stands before it: TLS, passwords, limits."""

from tidegauge.web.drift_reference import drift_reference
from tidegauge.web.error_patterns import error_patterns
from tidegauge.web.face import Face, Page, State
from tidegauge.web.front import Front, Limits
from tidegauge.web.gate import Rules
from tidegauge.web.inputs import Input, InputError, InputRules
from tidegauge.web.inputs_guard import Guard
from tidegauge.web.rules_file import RulesError, RulesFile

__all__ = [
    "Face",
    "Front",
    "Guard",
    "Input",
    "InputError",
    "InputRules",
    "Limits",
    "Page",
    "Rules",
    "RulesError",
    "RulesFile",
    "State",
    "drift_reference",
    "error_patterns",
]
