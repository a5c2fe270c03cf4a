// Package ports holds the interfaces through which the application talks to the
// world, the behaviour they promise, and the error kinds they use.
//
// A port is an interface that an adapter implements and the application calls
// (or, for IntakePort, that the application implements and an adapter calls). Its
// documentation states behaviour: whether a call blocks, whether it may be
// called concurrently, who retries, what a repeat does, and what an error means.
// Every sentence that can be checked is checked by the port's suite in
// ports/porttest, which every adapter passes.
//
// Signatures use domain types, the standard library and plain structs only; no
// vendor's type appears here. Names end in Port for a port and for nothing else.
// An extra ability that only some adapters have is a small interface without the
// suffix (ReadMarker, MediaUploader), found by type assertion.
package ports
