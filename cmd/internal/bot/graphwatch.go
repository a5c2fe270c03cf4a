package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"whatsappnode/adapters/metrics"
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

// graphWatch measures every call of the Graph API.
type graphWatch struct {
	next    network
	metrics *metrics.Metrics
}

var _ network = (*graphWatch)(nil)

// graph puts the watch around the network, where anybody wants to know.
func (w *watch) graph(next network) network {
	if w.metrics == nil {
		return next
	}
	return &graphWatch{next: next, metrics: w.metrics}
}

// Send implements ports.MessengerPort.
func (g *graphWatch) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	began := time.Now()
	id, err := g.next.Send(ctx, out)
	g.told(graphSend, began, err)
	return id, err
}

// FetchMedia implements ports.MessengerPort.
func (g *graphWatch) FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error) {
	began := time.Now()
	media, err := g.next.FetchMedia(ctx, ref)
	g.told(graphFetch, began, err)
	return media, err
}

// Upload implements ports.MediaUploader.
func (g *graphWatch) Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	began := time.Now()
	id, err := g.next.Upload(ctx, number, clip)
	g.told(graphUpload, began, err)
	return id, err
}

// MarkRead implements ports.ReadMarker.
func (g *graphWatch) MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error {
	began := time.Now()
	err := g.next.MarkRead(ctx, number, message, typing)
	g.told(graphMarkRead, began, err)
	return err
}

func (g *graphWatch) told(operation string, began time.Time, err error) {
	if err == nil {
		g.metrics.GraphCall(operation, time.Since(began))
		return
	}
	kind := ports.KindOf(err)
	if kind == ports.KindCanceled {
		return // we gave up; the network did nothing wrong
	}
	g.metrics.GraphError(operation, graphCode(err), string(kind))
}

// graphCode is Meta's code of an error, from the set that the error table knows.
func graphCode(err error) string {
	var e *ports.Error
	if !errors.As(err, &e) || e.Code == "" {
		return "none"
	}
	if code, fault := strconv.Atoi(e.Code); fault == nil {
		if _, known := whatsapp.RuleFor(code); known {
			return e.Code
		}
	}
	return "other"
}
