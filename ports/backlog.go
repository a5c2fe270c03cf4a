package ports

import (
	"context"
	"time"
)

// BacklogPort tells an operator how much waits. Backlog counts what is stored at
// about one moment and changes nothing. It is made to be asked every few seconds: its
// cost does not grow with what was finished. It may be called concurrently; a store
// that cannot be read answers KindTransient.
type BacklogPort interface {
	Backlog(ctx context.Context) (Backlog, error)
}

// Backlog is what a store has waiting.
type Backlog struct {
	// Conversations have something waiting or are with a worker.
	Conversations int
	// Messages are those that no finished turn has consumed.
	Messages int
	// Oldest is when the oldest of them was admitted, by the store's clock; zero when
	// there is none. One that was put back by DeadLetterPort.Replay may count from then.
	Oldest time.Time
	// DeadLetters are the turns that wait for the operator.
	DeadLetters int
}
