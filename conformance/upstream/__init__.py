"""A stand-in for the services that connections are made to, which checks what a real one checks."""
