// Package sqlitestore keeps ids, inboxes, turns and conversations in one SQLite
// file on the local disk. It implements ports.DedupPort, ports.InboxPort and
// ports.ConversationPort together, because their atomicity is the point.
//
// The file is in WAL mode with synchronous=FULL: a commit returns after fsync, so
// what was acknowledged survives SIGKILL and loss of power. One goroutine writes.
// It takes everything that queued up while the last transaction was under way
// into the next one (group commit), and answers after COMMIT. A write that fails takes
// nothing else with it: if it may have changed something, the transaction is run again
// with each write inside a SAVEPOINT. A few more connections read.
//
// One process owns the file, guarded by a lock on "<path>.lock". So leases found
// at Open belong to a process that is gone, and their work is due at once. For the
// same reason the limits of ports.PacerPort are kept in memory, and the holders of
// leases are told of new messages by the writer, once they are committed.
//
// The operator's ports.DeadLetterPort and ports.ErasurePort are here too. Erasing a
// person builds the file anew, because SQLite leaves copies of what it removes.
package sqlitestore
