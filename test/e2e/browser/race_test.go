//go:build race

package browser_test

// underRace makes the binary a race-detecting one when the tests are.
const underRace = true
