"""The executable specification of revisions, LIST and WATCH.

A discrete-event simulation with random schedules and faults: writers, an outbox, relays, a stream, hubs and clients.
Every rule can be switched off, and then a run is found in which a client loses or keeps something, or goes back.

What is modelled
    * writers: create, update, relabel, delete, re-create of the same names on three API processes whose clocks differ;
      a transaction stamps its revision, waits for the row, then commits up to 5 s later, or dies;
    * outbox rows committed with the objects, each process's relay, sweepers on every process, crashes between commit,
      publish, acknowledgement and deletion of the row (hence duplicates, reordering, late messages);
    * a stream: total order, de-duplication window, outages, wipes, a lost tail;
    * hubs: they consume with lag, restart empty, lose SQL for a while; slow watchers are cut;
    * clients: paged LIST, WATCH, resume at any process from the last revision they saw (object, bookmark or list),
      after up to a minute; two stores each: by name (client-go, kubectl) and by uid (kopf); with or without a selector;
    * tombstones that expire. (Scaled: tombstones live 60 s, the de-duplication window is 20 s.)

What is checked
    LOST     after faults and writes end, the store by name differs from the database
    LEAK     the store by uid keeps an object that is gone (a deletion never seen), or lacks one
    REGRESS  a client saw a lower revision of a uid, or a uid again after its DELETED or its absence from a LIST

Three hubs: `rules` is the model, in which each rule can be switched off; `core` is the one that the API server runs,
`threeport.events.core`; `ring` is the obvious design, resuming at a position in the stream, and it fails.

    python -m tests.specification                        all rules hold, for the model and the real hub; each is needed
    python -m tests.specification --off RULE [--hub H]   switch a rule off, print the shortest violating run's history
    python -m tests.specification --seeds 5000           longer search with all rules on
    python -m tests.specification --list                 the rules and what each says
"""
