package ports

import (
	"context"

	"whatsappnode/domain"
)

// MessengerPort sends messages to people and fetches what they sent.
//
// Send returns once the network accepted the message; that is not delivery. It
// may be called concurrently and never repeats a request that may have been
// accepted. Where the request left and no answer came, the error has MaybeDone
// set. An invalid message is KindInvalid and nothing is sent. A message goes to
// exactly the contact in Outbound.To.
//
// FetchMedia blocks until the whole object is there, checked against the size
// cap, the checksum and the magic bytes of its type. KindNotFound: it expired or
// never was. KindUnsupported: too large, or its bytes contradict its type or its
// checksum. It may be called concurrently, and repeated freely.
type MessengerPort interface {
	Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error)
	FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error)
}

// ReadMarker is an extra ability of a MessengerPort: it shows the user that the
// message was read, and with typing that an answer is being made. The indicator
// ends with the answer or after 25 seconds (Meta, "Typing indicators"); calling
// again extends it. Failures are harmless and never retried.
type ReadMarker interface {
	MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error
}

// MediaUploader is an extra ability of a MessengerPort: it stores a clip at the
// network, so that a send that is tried again needs neither the clip nor a second
// upload. Uploading twice is harmless and yields two ids.
type MediaUploader interface {
	Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error)
}
