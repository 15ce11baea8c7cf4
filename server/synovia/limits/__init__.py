"""What an address and a connection may use."""
