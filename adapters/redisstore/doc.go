// Package redisstore keeps ids, inboxes, turns and conversations in Redis or Valkey,
// for any number of processes: standalone, watched by Sentinel, or a Cluster. It
// implements the store ports together, because their atomicity is the point.
//
// # Partitions
//
// Conversations are spread over a fixed number of partitions. All keys of a
// partition share a hash tag ("{wa:p7}:..."), so that one script can change all of
// a conversation in one step, on a Cluster too. A conversation's id ends with its
// partition ("...-7"). The number of partitions is written down at the first start;
// a process that is configured otherwise refuses to start, because it would look in
// the wrong places. The scripts are in lua/, one a file. They name the keys they use
// themselves, all behind the tag they are called with, and read the server's clock
// alone.
//
//	{wa:p7}:n:<name>    what a name leads to: conversation and link
//	{wa:p7}:i:<owner>   hashes of known message ids, by time
//	{wa:p7}:p:<id>      the conversation an id is tied to before it is stored
//	{wa:p7}:due         conversations by due time; a lease is a due time too
//	{wa:p7}:wait        waiting messages by time of admission
//	{wa:p7}:dead        dead letters by time
//	{wa:p7}:idle        conversations by their last finished turn
//	{wa:p7}:c:<conv>    fencing token, end of lease, controls; with :mem (memory), :in :m (inbox),
//	                    :ts :open (turns), :names :kin (for erasure)
//	{wa:p7}:t:<turn>    a turn, its sends and facts; with :dm (a dead letter's messages)
//	{wa:p7}:w:<wamid>   the turn whose send has that wamid
//	{wa:p7}:g:<hash>    a conversation that was erased a moment ago
//	{wa:p7}:b:<bucket>  a bucket of the pacer
//
// Names, message ids and wamids are keys as hashes only.
//
// # Admission
//
// A message is routed by its sender's user id, else by the phone number. The mark
// that its id is known lives where that name lives. Nearly always that is the
// partition of the conversation, and one script looks the name up, checks the id,
// appends the message and marks the id. Otherwise (first contact, changed numbers) the
// id is first tied to the conversation chosen for it, then names are linked, then
// the message is stored and its id marked in one script, so that a repeat after a
// crash at any point is completed in the same conversation. A tie alone does not
// make an id known. Meta redelivers a message with the sender it first had, so a
// redelivery looks where the mark is, whatever the names lead to by then. Two names
// of one person are brought to agree by changing each name only if it still is what
// was read.
//
// # Leases and waking
//
// A lease is a score in the due times plus a fencing token and its end, which is set to 0
// when the lease is ended: what is left of one that ran out tells the next holder. Within a partition the
// conversation due longest is always first; one process also takes the partition
// whose first is due longest, as far as it has heard. Callers of Lease wait in the
// process; one goroutine claims for them, so that a thousand waiting workers cost
// what one costs. A script that makes a conversation the first of its partition
// says so on a channel; each process waits for the earliest due time it knows of,
// and asks for all of them every few seconds in case it missed something.
//
// A message for a conversation that is leased is told of on the same channel, since
// its holder may be another process; the one that admits it tells its own holders
// itself. What was said while a process did not hear is gone: when it hears again it
// tells all its holders to look.
//
// # Durability
//
// See Ack. Every write that a port calls durable is confirmed as configured before
// the call returns, and so is a repeat of it.
package redisstore
