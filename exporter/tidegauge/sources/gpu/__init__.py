"""GPUs: what NVML says of every device, read in a child process by a thread for each device.

Nothing is imported here: the child imports this package too, and counts in our memory.
"""
