"""What is stored against what is declared: documents are checked, and changed by migrations."""
