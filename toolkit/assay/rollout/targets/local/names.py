"""What several of Envoy's files name."""

TYPE = "type.googleapis.com/"
ADMIN_SOCKET = "admin.sock"
"""Relative to Envoy's working folder: the name of a Unix socket has room for 107 bytes."""
