"""The office's desks: the methods that read and change the record, one file a subject.
They answer the socket and the command line alike and must not know which of them asks.
"""
