// Package bot assembles the whole program from its settings: the store, the
// vendors, the application and the two listeners. Both binaries use it, and the
// end-to-end tests call Run with port 0.
//
// This is the only place that knows every adapter. Vendors are literal maps in
// providers.go, one line each.
package bot
