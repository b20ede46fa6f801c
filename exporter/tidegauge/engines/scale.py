"""Values brought to another unit, to the last digit.

No clock, no network, no logging: same arguments, same answer.
"""

_LARGEST_DIVISOR = 1e15  # above it not every whole number is a float


def scaled(value: float, scale: float) -> float:
    """The product, or where `scale` is one over a whole number the quotient.

    A thousandth is no float, and a product with what comes closest is off in its last digit, which
    a bucket's bound would show; a quotient by 1000 is rounded once.

    >>> 700 * 0.001, scaled(700, 0.001), scaled(35, 0.01)
    (0.7000000000000001, 0.7, 0.35)
    """
    if scale * _LARGEST_DIVISOR < 1:
        return value * scale
    divisor = round(1 / scale)
    return value / divisor if divisor > 1 and 1 / divisor == scale else value * scale
