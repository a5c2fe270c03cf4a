package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/ports/porttest"
)

// framesOfTurn is how much of a stack a turn may take that waits for its model, between the
// worker and the model's port, in bytes: with what vendors and the network add it must stay
// below 7 kB, or each of ten thousand turns takes a stack of 16 kB and not of 8.
const framesOfTurn = 3000

// TestWaitingTakesLittleStack looks at what the collector scans of the stacks of turns that
// wait for a model.
func TestWaitingTakesLittleStack(t *testing.T) {
	porttest.SkipRace(t)
	const turns = 200
	bubble(t, func(r *rig) { r.workers, r.brain.delay = turns, 10*time.Second }, func(r *rig) {
		each := porttest.StackEach(turns, func() {
			for i := range turns {
				r.says(fmt.Sprint("m", i), fmt.Sprint("user", i), "hello")
			}
			r.settle()
		})
		assert.Len(t, r.brain.raw(), turns, "all wait")
		assert.Less(t, each, uint64(framesOfTurn))
		r.pass(20 * time.Second)
	})
}
