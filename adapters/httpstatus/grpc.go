package httpstatus

import "whatsappnode/ports"

// grpcKinds is indexed by the number of a gRPC status code (gRPC, "Status codes and
// their use in gRPC").
var grpcKinds = [...]ports.Kind{
	0:  "",                    // OK
	1:  ports.KindCanceled,    // CANCELLED
	2:  ports.KindUnknown,     // UNKNOWN
	3:  ports.KindInvalid,     // INVALID_ARGUMENT
	4:  ports.KindTimeout,     // DEADLINE_EXCEEDED
	5:  ports.KindNotFound,    // NOT_FOUND
	6:  ports.KindInvalid,     // ALREADY_EXISTS
	7:  ports.KindDenied,      // PERMISSION_DENIED
	8:  ports.KindRateLimited, // RESOURCE_EXHAUSTED
	9:  ports.KindInvalid,     // FAILED_PRECONDITION: not before somebody changes the state
	10: ports.KindTransient,   // ABORTED
	11: ports.KindInvalid,     // OUT_OF_RANGE
	12: ports.KindUnsupported, // UNIMPLEMENTED
	13: ports.KindTransient,   // INTERNAL
	14: ports.KindTransient,   // UNAVAILABLE
	15: ports.KindUnknown,     // DATA_LOSS: a repeat does not bring it back
	16: ports.KindDenied,      // UNAUTHENTICATED
}

// GRPCKind maps a gRPC status code by its number, so that nobody needs the gRPC
// module to ask. It is empty for OK.
func GRPCKind(code uint32) ports.Kind {
	if int64(code) < int64(len(grpcKinds)) {
		return grpcKinds[code]
	}
	return ports.KindUnknown
}
