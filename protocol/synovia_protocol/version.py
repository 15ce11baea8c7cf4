"""The release of all of Synovia; that of the protocol is ``messages.PROTOCOL_VERSION``."""

__version__ = "0.1.0"
