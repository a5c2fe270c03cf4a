// Package operate holds the operator's commands as functions over the ports: each
// does one thing, writes what it did for a person or as JSON, and returns an error.
//
// What people are called and wrote is masked unless Options.Words is set, in the
// table and in JSON. In a table, what users wrote goes through a filter, so that it
// cannot steer the terminal it is shown on.
package operate
