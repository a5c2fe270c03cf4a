// Package decorate holds ports around ports: each function takes an adapter and
// returns one of the same port that does a little more. What is decorated keeps its
// promises, so each decorator passes the contract suite of its port, and it has an
// extra ability exactly when what it wraps has it.
package decorate
