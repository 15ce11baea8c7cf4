"""Files that clients upload: what is on its way, who may send it, and the key of the addresses of files."""
