package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"whatsappnode/adapters/metrics"
	"whatsappnode/adapters/tracing"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// The operations of the Graph API, as metrics and traces name them.
const (
	graphSend     = "send"
	graphUpload   = "upload"
	graphFetch    = "fetch_media"
	graphMarkRead = "mark_read"
)

// network is a messenger with all that the Graph API can do.
type network interface {
	ports.MessengerPort
	ports.ReadMarker
	ports.MediaUploader
}

// graphWatch measures every call of the Graph API, and files it.
type graphWatch struct {
	next    network
	metrics *metrics.Metrics // nil: nobody scrapes
	tracer  *tracing.Tracer  // nil: nobody follows
}

var _ network = (*graphWatch)(nil)

// graph puts the watch around the network, where anybody wants to know.
func (w *watch) graph(next network) network {
	if w.metrics == nil && w.tracer == nil {
		return next
	}
	return &graphWatch{next: next, metrics: w.metrics, tracer: w.tracer}
}

// Send implements ports.MessengerPort. What Meta says of the send later finds its
// place in the trace by the reference that comes back with it.
func (g *graphWatch) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	began := time.Now()
	ctx, done := g.tracer.Network(ctx, graphSend, 0)
	if g.tracer != nil && out.Ref != (domain.PartRef{}) {
		out.Ref.Trace = tracing.Traceparent(ctx)
	}
	id, err := g.next.Send(ctx, out)
	done(0, err)
	g.told(graphSend, began, err)
	return id, err
}

// FetchMedia implements ports.MessengerPort.
func (g *graphWatch) FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error) {
	began := time.Now()
	ctx, done := g.tracer.Network(ctx, graphFetch, 0)
	media, err := g.next.FetchMedia(ctx, ref)
	done(len(media.Data), err)
	g.told(graphFetch, began, err)
	return media, err
}

// Upload implements ports.MediaUploader.
func (g *graphWatch) Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	began := time.Now()
	ctx, done := g.tracer.Network(ctx, graphUpload, len(clip.Bytes()))
	id, err := g.next.Upload(ctx, number, clip)
	done(0, err)
	g.told(graphUpload, began, err)
	return id, err
}

// MarkRead implements ports.ReadMarker.
func (g *graphWatch) MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error {
	began := time.Now()
	ctx, done := g.tracer.Network(ctx, graphMarkRead, 0)
	err := g.next.MarkRead(ctx, number, message, typing)
	done(0, err)
	g.told(graphMarkRead, began, err)
	return err
}

func (g *graphWatch) told(operation string, began time.Time, err error) {
	switch kind := ports.KindOf(err); {
	case g.metrics == nil:
	case err == nil:
		g.metrics.GraphCall(operation, time.Since(began))
	case kind != ports.KindCanceled: // we gave up; the network did nothing wrong
		g.metrics.GraphError(operation, graphCode(err), string(kind))
	}
}

// graphCode is Meta's code of an error, from the set that the error table knows.
func graphCode(err error) string {
	var e *ports.Error
	if !errors.As(err, &e) || e.Code == "" {
		return "none"
	}
	if code, fault := strconv.Atoi(e.Code); fault == nil {
		return codeWord(code)
	}
	return "other"
}

func codeWord(code int) string {
	if _, known := whatsapp.RuleFor(code); known {
		return strconv.Itoa(code)
	}
	return "other"
}
