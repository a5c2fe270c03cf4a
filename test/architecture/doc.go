// Package architecture holds the tests that keep the layout honest: who may import
// whom, and what may stand at the top of the repository.
package architecture
