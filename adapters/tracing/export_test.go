package tracing

// ParseCloud is parseCloud.
var ParseCloud = parseCloud

// Reason is reason.
var Reason = reason
