"""WATCH: the events of a selection as lines of JSON, for as long as the client listens.

Where the events come from, and that none is missing, is the business of the `EventSource`; here they are selected,
named and sent. The name of an event is decided without keeping the state of every watch:

- DELETED: the object is gone, or its labels no longer match the selector and once did (so the client may know it);
- ADDED: it was created within the last seconds before the event, and was not yet ADDED to this watch;
- MODIFIED: everything else. Clients of Kubernetes take a MODIFIED of an object that they do not know for an ADDED.

An event may come twice; within one object they never go backwards.
"""
