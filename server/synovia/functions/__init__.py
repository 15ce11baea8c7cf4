"""What a function is and is handed."""
