//go:build race

package e2e_test

// underRace makes the binary a race-detecting one when the tests are.
const underRace = true
