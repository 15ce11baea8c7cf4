"""The rules behind the functions: who may see what, how people and samples are kept, what is too long."""
