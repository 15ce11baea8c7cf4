"""Mail: messages, and the servers that deliver them."""
