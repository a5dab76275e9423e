"""Streaming real-time event processor for WeChat marketing."""

__version__ = "0.3.0"
