"""What clients, services and the schedule call, one module for each noun."""

__synovia_path__ = ""  # orders:reserve, not functions/orders:reserve
