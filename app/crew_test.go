package app_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
)

// TestCrewRestsBetweenTasks: a task is taken by somebody who rests, everybody goes home
// after the last answer, and no more rest than may. A goroutine that stayed would end the
// test with a panic.
func TestCrewRestsBetweenTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crew := app.NewCrew()
		crew.Enter()
		crew.Enter()
		all := func(n int) {
			gate := make(chan struct{})
			var running sync.WaitGroup
			running.Add(n)
			for range n {
				crew.Begin(func() { <-gate }, running.Done)
			}
			synctest.Wait()
			require.Equal(t, n, crew.Working())
			close(gate)
			running.Wait()
			synctest.Wait()
			require.Zero(t, crew.Working())
		}
		all(3)
		require.Equal(t, 3, crew.Resting())
		all(2)
		require.Equal(t, 3, crew.Resting(), "two of the three")
		all(app.MaxResting + 50)
		require.Equal(t, app.MaxResting, crew.Resting())
		crew.Leave()
		synctest.Wait()
		require.Equal(t, app.MaxResting, crew.Resting(), "somebody is still spoken to")
		crew.Leave()
		synctest.Wait()
		require.Zero(t, crew.Resting())
	})
}
