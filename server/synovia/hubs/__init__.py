"""Hubs on one database that help each other: what several of them want to change is run by one."""
