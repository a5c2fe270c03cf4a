// Package porttest holds one contract suite for each port. An adapter, fake or
// real, calls the suite of its port from a file named contract_test.go; what the
// suite checks is what the port's documentation promises.
//
// A suite takes a harness: a struct with New, which makes a fresh adapter, and
// functions that provoke each kind of failure. A function that is nil skips the
// cases that need it, visibly. The suites are themselves tested: the tests of
// this package hold deliberately broken adapters, and each must be rejected.
package porttest
