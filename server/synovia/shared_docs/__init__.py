"""Texts and structures that several people edit at once, as documents of Yjs: their updates, and what is made of these."""
